//! The AWS config and credentials files: the result does not depend on line endings, and no header, line or table makes
//! the reader panic or report the wrong line.
#![no_main]

use std::path::Path;

use eks_group_auth::aws::profile::grammar::{AwsFile, Section};
use eks_group_auth::aws::error::Error;
use eks_group_auth::aws::profile::{Kind, ProfileFiles};
use libfuzzer_sys::fuzz_target;

/// A section's properties with their tables, and its broken lines.
fn everything(section: &Section) -> String {
    let mut said = format!("{:?}", section.broken());
    for property in section.properties() {
        let table = property.table().map(|pairs| pairs.collect::<Vec<_>>());
        let (key, value, line) = (property.key(), &property.value, property.line);
        said += &format!("\n{line} {key:?} {value:?} {table:?} {:?}", property.broken());
        let same = section.property(key).expect("what is listed is found");
        assert!(std::ptr::eq(same, property), "{key:?} finds {:?}", same.key());
        assert_eq!(property.value.trim_end(), property.value);
    }
    said
}

/// The contents of a file, with line numbers.
fn read(text: &str) -> Vec<String> {
    let file = AwsFile::new(text);
    let lines = u32::try_from(text.split(['\n', '\r']).count()).expect("inputs are short");
    let mut said = Vec::new();
    let mut last_line = 0;
    for (name, line) in file.headers() {
        assert!(last_line < line && line <= lines, "the header {name:?} is in line {line}, behind {last_line}");
        last_line = line;
        let section = file.section(name).expect("a header makes a section");
        for property in section.properties() {
            assert!((1..=lines).contains(&property.line));
        }
        said.push(format!("{line} {name:?} {}", everything(&section)));
    }
    let broken = file.broken_lines();
    assert!(broken.iter().all(|broken| (1..=lines).contains(&broken.line)));
    said.push(format!("{broken:?}"));
    said
}

fuzz_target!(|texts: (&str, &str)| {
    let (config, credentials) = texts;
    for text in [config, credentials] {
        // A lone CR is also a line ending, and one before LF would become part of it.
        let text = text.replace('\r', "");
        let said = read(&text);
        for end in ["\r\n", "\r"] {
            assert_eq!(read(&text.replace('\n', end)), said, "lines that end with {end:?}");
        }
        read(&format!("{text}\r"));
    }
    let files = ProfileFiles::new((Path::new("config"), config), (Path::new("credentials"), credentials));
    let broken: Vec<_> = files.broken_lines().map(|(path, broken)| (path, broken.line)).collect();
    let headers =
        [config, credentials].map(|text| AwsFile::new(text).headers().map(|(name, _)| name).collect::<Vec<_>>());
    let of_headers = headers.iter().flatten().flat_map(|name| [*name, name.rsplit([' ', '\t']).next().unwrap_or(name)]);
    for name in of_headers.chain(["default", "", "a"]) {
        let _ = files.similar_header(name);
        for section in [files.profile(name), files.section(Kind::SsoSession, name), files.section(Kind::Services, name)]
        {
            let section = match section {
                Ok(Some(section)) => section,
                Ok(None) => continue,
                Err(Error::BrokenLine { path, line, .. }) => {
                    assert!(broken.contains(&(Path::new(&path), line)), "line {line} of {path} is not known");
                    continue;
                }
                Err(error) => panic!("{error}"),
            };
            let _ = section.properties().count();
            for property in ["region", "role_arn", "s3", "credential_process"] {
                if let Ok(Some(value)) = section.get(property) {
                    assert!(!value.text.is_empty() && section.has(property));
                }
                let _ = section.in_table(property, "endpoint_url");
            }
            let keys = (section.keys_in_credentials_file().is_ok(), section.keys_in_config_file().is_ok());
            assert!(keys == (true, true) || !broken.is_empty());
        }
    }
    if headers[1].contains(&"default") {
        assert!(!matches!(files.profile("default"), Ok(None)), "a header of the credentials file is a profile");
    }
});
