//! The config and credentials files as the SDK is to see them. It gets them as they were fingerprinted: read again, they
//! could have become another identity's. And it gets them in its own dialect, which is poorer than the AWS CLI's.

use std::fmt::Write as _;

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};

use crate::profile::{config_header, header, property};
use crate::source_files::SourceFiles;

pub fn for_sdk(files: &SourceFiles) -> EnvConfigFiles {
    let config = in_its_dialect(files.config.contents(), config_header_line);
    let credentials = in_its_dialect(files.credentials.contents(), credentials_header_line);
    EnvConfigFiles::builder()
        .with_contents(EnvConfigFileKind::Config, config)
        .with_contents(EnvConfigFileKind::Credentials, credentials)
        .build()
}

/// A profile's name as the SDK takes it: it passes over those with other characters. Two names never become one.
pub fn sdk_name(profile: &str) -> String {
    let mut name = String::with_capacity(profile.len());
    for byte in profile.bytes() {
        if byte.is_ascii_alphanumeric() || b"_-/.@:+".contains(&byte) {
            name.push(char::from(byte));
        } else {
            write!(name, "%{byte:02x}").expect("a String takes all");
        }
    }
    name
}

fn in_its_dialect(contents: &[u8], header_line: impl Fn(&str) -> Option<String>) -> String {
    let text = String::from_utf8_lossy(contents);
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let is_indented = line.starts_with([' ', '\t']);
        // Its parser gives up on an indented comment.
        if is_indented && line.trim_start().starts_with(['#', ';']) {
            continue;
        }
        let other = if line.starts_with('[') {
            header_line(line)
        } else if is_indented {
            None
        } else {
            property(line).and_then(|(key, value)| property_line(key, value))
        };
        out += other.as_deref().unwrap_or(line);
        out.push('\n');
    }
    out
}

/// Without quotation marks.
fn config_header_line(line: &str) -> Option<String> {
    let (kind, name) = config_header(header(line)?)?;
    match kind {
        "" => None,
        "profile" => Some(format!("[profile {}]", sdk_name(&name))),
        _ => Some(format!("[{kind} {name}]")),
    }
}

fn credentials_header_line(line: &str) -> Option<String> {
    let name = header(line)?;
    (!name.starts_with("profile ")).then(|| format!("[{}]", sdk_name(name)))
}

fn property_line(key: &str, value: &str) -> Option<String> {
    if key.eq_ignore_ascii_case("source_profile") {
        Some(format!("source_profile = {}", sdk_name(value)))
    } else if key.eq_ignore_ascii_case("aws_security_token") {
        // The old name, which tools still write beside the new one.
        Some(format!("aws_session_token = {value}"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_sdk_would_pass_over_are_spelled_so_that_it_does_not() {
        assert_eq!(sdk_name("dev.eu-1/a_b@c:d+e"), "dev.eu-1/a_b@c:d+e");
        assert_eq!(sdk_name("my team"), "my%20team");
        assert_eq!(sdk_name("my%20team"), "my%2520team");
        let config = "# x\n[profile \"my team\"] # y\nsource_profile = other team ; z\ns3 =\n  # w\n  source_profile = a b\n\
                      [sso-session 'corp']\n[default]\nregion = a b\nAWS_SECURITY_TOKEN = t\n[profile a b]\n";
        let expected = "# x\n[profile my%20team]\nsource_profile = other%20team\ns3 =\n  source_profile = a b\n\
                        [sso-session corp]\n[default]\nregion = a b\naws_session_token = t\n[profile a b]\n";
        assert_eq!(in_its_dialect(config.as_bytes(), config_header_line), expected);
        let credentials = in_its_dialect(b"[my team]\n[default]\n[profile x]\n", credentials_header_line);
        assert_eq!(credentials, "[my%20team]\n[default]\n[profile x]\n");
    }
}
