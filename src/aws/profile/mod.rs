//! Profiles in the AWS config and credentials files, named and merged as in the AWS CLI, and their values. Pure.

pub mod grammar;

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use crate::aws::error::Error;
use crate::say::text::shown;
use crate::say::words;
use grammar::{AwsFile, Broken, Section};

/// Both files, each read once.
pub struct ProfileFiles<'a> {
    config: File<'a>,
    credentials: File<'a>,
}

struct File<'a> {
    path: &'a Path,
    sections: AwsFile<'a>,
}

/// One profile, or a section that profiles refer to.
#[derive(Debug)]
pub struct Profile<'a> {
    name: String,
    kind: Kind,
    /// The credentials file takes precedence over the config file.
    from_credentials: Option<Part<'a>>,
    from_config: Option<Part<'a>>,
}

#[derive(Debug)]
struct Part<'a> {
    path: &'a Path,
    section: Section<'a>,
}

/// The kind of a section in the config file, from the start of its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Profile,
    SsoSession,
    Services,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Profile => "profile",
            Kind::SsoSession => "sso-session",
            Kind::Services => "services",
        }
    }
}

/// The value of a property, and where it is set.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    pub text: &'a str,
    pub place: Place<'a>,
}

/// An owned value with a description of where it is set: a variable, or a property with its profile.
#[derive(Clone, PartialEq, Eq)]
pub struct Located {
    pub text: String,
    pub place: String,
}

/// Shows only the place, because a URL may contain a password.
impl fmt::Debug for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

impl From<Value<'_>> for Located {
    fn from(Value { text, place }: Value) -> Self {
        Located { text: text.to_owned(), place: place.to_string() }
    }
}

/// Where a property is set. Displayed the way a user would look for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    pub property: &'static str,
    kind: Kind,
    name: &'a str,
    path: &'a Path,
    line: u32,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { property, kind, name, path, line } = self;
        let name = shown(name);
        match kind {
            Kind::Profile => write!(f, "`{property}` in profile `{name}`")?,
            Kind::SsoSession | Kind::Services => write!(f, "`{property}` in `[{} {name}]`", kind.word())?,
        }
        write!(f, " (line {line} of {})", shown(&path.display().to_string()))
    }
}

/// The keys in one file; keys from two files are never combined.
pub struct KeyProperties<'a> {
    pub in_credentials_file: bool,
    pub id: Value<'a>,
    pub secret: Option<Value<'a>>,
    pub session_token: Option<Value<'a>>,
    /// Their expiry, according to the tool that wrote them.
    pub expiry: Option<Value<'a>>,
}

impl<'a> ProfileFiles<'a> {
    /// Takes each file's path and text; the text is empty if there is no file.
    pub fn new(
        (config_path, config): (&'a Path, &'a str),
        (credentials_path, credentials): (&'a Path, &'a str),
    ) -> Self {
        // Windows Notepad writes a byte order mark.
        let sections = |text: &'a str| AwsFile::new(text.strip_prefix('\u{feff}').unwrap_or(text));
        ProfileFiles {
            config: File { path: config_path, sections: sections(config) },
            credentials: File { path: credentials_path, sections: sections(credentials) },
        }
    }

    /// # Errors
    ///
    /// [`Error::BrokenLine`] if one of its sections has a line that cannot be parsed.
    pub fn profile(&self, name: &str) -> Result<Option<Profile<'a>>, Error> {
        let from_credentials = self.credentials.part(name)?;
        self.with_config(Kind::Profile, name, from_credentials)
    }

    /// A section of the config file that profiles refer to.
    ///
    /// # Errors
    ///
    /// As for [`ProfileFiles::profile`].
    pub fn section(&self, kind: Kind, name: &str) -> Result<Option<Profile<'a>>, Error> {
        self.with_config(kind, name, None)
    }

    fn with_config(
        &self,
        kind: Kind,
        name: &str,
        from_credentials: Option<Part<'a>>,
    ) -> Result<Option<Profile<'a>>, Error> {
        // If there are both `[default]` and `[profile default]`, or `[x y]` and `[x "y"]`, the later one replaces the
        // earlier.
        let mut headers: Vec<&str> = Vec::new();
        for (header, _) in self.config.sections.headers() {
            if header_matches(header, kind, name) && !headers.contains(&header) {
                headers.push(header);
            }
        }
        let from_config = headers.last().map_or(Ok(None), |header| self.config.part(header))?;
        let is_there = from_credentials.is_some() || from_config.is_some();
        Ok(is_there.then(|| Profile { name: name.to_owned(), kind, from_credentials, from_config }))
    }

    /// # Errors
    ///
    /// [`Error::BrokenLine`] for text before the first header of a file: it may follow a header with a missing bracket,
    /// whose profile would otherwise be ignored in favour of another source.
    pub fn check(&self) -> Result<(), Error> {
        for file in [&self.config, &self.credentials] {
            if let Some(stray) = file.sections.stray() {
                return Err(broken_line(file.path, stray));
            }
        }
        Ok(())
    }

    /// Both paths, for a message.
    pub fn paths(&self) -> String {
        format!("{} or {}", self.config.path.display(), self.credentials.path.display())
    }

    /// A header that the user may have written by mistake for this profile.
    pub fn similar_header(&self, name: &str) -> Option<SimilarHeader> {
        let find = |file: &File, written: &str, meant: String| {
            let (_, line) = file.sections.headers().find(|(header, _)| *header == written)?;
            let path = file.path.display().to_string();
            Some(SimilarHeader { written: format!("[{written}]"), meant, path, line })
        };
        let quoted = if name.contains([' ', '\t']) { format!("\"{name}\"") } else { name.to_owned() };
        find(&self.config, name, format!("[profile {quoted}]"))
            .or_else(|| find(&self.credentials, &format!("profile {name}"), format!("[{name}]")))
            .or_else(|| find(&self.config, &format!("profile {name}"), format!("[profile {quoted}]")))
    }

    /// Every line that cannot be parsed, in any section: its file, number and reason.
    pub fn broken_lines(&self) -> impl Iterator<Item = (&'a Path, Broken)> {
        let of = |file: &File<'a>| {
            let path = file.path;
            file.sections.broken_lines().into_iter().map(move |broken| (path, broken)).collect::<Vec<_>>()
        };
        of(&self.config).into_iter().chain(of(&self.credentials))
    }
}

/// A header that the AWS CLI does not accept for the requested profile.
#[derive(Debug, PartialEq, Eq)]
pub struct SimilarHeader {
    pub written: String,
    pub meant: String,
    pub path: String,
    pub line: u32,
}

impl fmt::Display for SimilarHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SimilarHeader { written, meant, path, line } = self;
        let (written, meant, path) = (shown(written), shown(meant), shown(path));
        write!(
            f,
            "change `{written}` (line {line} of {path}) to `{meant}`: only that header defines this profile in that \
             file"
        )
    }
}

impl<'a> File<'a> {
    fn part(&self, header: &str) -> Result<Option<Part<'a>>, Error> {
        let Some(section) = self.sections.section(header) else { return Ok(None) };
        match section.broken() {
            Some(broken) => Err(broken_line(self.path, broken)),
            None => Ok(Some(Part { path: self.path, section })),
        }
    }
}

impl<'a> Profile<'a> {
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this property is present, even if it is empty.
    pub fn has(&self, property: &str) -> bool {
        self.parts().any(|part| part.section.property(property).is_some())
    }

    /// The value of a property. An empty value counts as unset. A trailing comment is removed, unless the property may
    /// contain free text.
    ///
    /// # Errors
    ///
    /// [`Error::BrokenLine`] if the AWS CLI would reject the file because of this value.
    pub fn get(&self, property: &'static str) -> Result<Option<Value<'_>>, Error> {
        for part in self.parts() {
            if let Some(value) = self.value(part, property)?.filter(|value| !value.text.is_empty()) {
                let value = Value { text: without_comment(property, value.text), ..value };
                return Ok(Some(value).filter(|value| !value.text.is_empty()));
            }
        }
        Ok(None)
    }

    /// A property nested in another, such as `endpoint_url` in `sts =` in a services section. Its place is that of the
    /// outer property.
    ///
    /// # Errors
    ///
    /// As for [`Profile::get`].
    pub fn in_table(&self, table: &'static str, property: &'static str) -> Result<Option<Value<'_>>, Error> {
        for part in self.parts() {
            let Some(value) = self.value(part, table)? else { continue };
            let pairs = part.section.property(table).and_then(|of| of.table()).into_iter().flatten();
            let found = pairs.filter(|(key, _)| *key == property).last().filter(|(_, text)| !text.is_empty());
            return Ok(found.map(|(_, text)| Value { text, place: Place { property, ..value.place } }));
        }
        Ok(None)
    }

    /// The keys of the credentials file.
    pub fn keys_in_credentials_file(&self) -> Result<Option<KeyProperties<'_>>, Error> {
        self.keys(self.from_credentials.as_ref())
    }

    /// The keys of the config file.
    pub fn keys_in_config_file(&self) -> Result<Option<KeyProperties<'_>>, Error> {
        self.keys(self.from_config.as_ref())
    }

    /// A secret without an id is ignored. The session token's old name takes precedence over the new one.
    fn keys<'b>(&'b self, part: Option<&'b Part<'a>>) -> Result<Option<KeyProperties<'b>>, Error> {
        let Some(part) = part else { return Ok(None) };
        let Some(id) = self.value(part, "aws_access_key_id")? else { return Ok(None) };
        let set = |name| Ok(self.value(part, name)?.filter(|value| !value.text.is_empty()));
        let session_token = match self.value(part, "aws_security_token")? {
            Some(value) => Some(value),
            None => self.value(part, "aws_session_token")?,
        };
        let expiry = match set("x_security_token_expires")? {
            Some(value) => Some(value),
            None => set("aws_expiration")?,
        };
        Ok(Some(KeyProperties {
            in_credentials_file: self.from_credentials.as_ref().is_some_and(|from| std::ptr::eq(from, part)),
            id,
            secret: self.value(part, "aws_secret_access_key")?,
            session_token,
            expiry,
        }))
    }

    /// All properties, in order of precedence.
    pub fn properties(&self) -> impl Iterator<Item = (&str, &str)> {
        let properties = self.parts().flat_map(|part| part.section.properties());
        properties.map(|property| (property.key(), &*property.value))
    }

    /// The properties as written in the credentials file and in the config file; they distinguish this profile from all
    /// others.
    pub fn written_by_file(&self) -> [impl Iterator<Item = (&str, &str)>; 2] {
        [&self.from_credentials, &self.from_config].map(|part| {
            let properties = part.iter().flat_map(|part| part.section.written());
            properties.map(|property| (property.key(), &*property.value))
        })
    }

    /// A property's value as written.
    pub fn written(&self, property: &str) -> Option<&str> {
        self.parts().find_map(|part| Some(&*part.section.property(property)?.value))
    }

    fn parts(&self) -> impl Iterator<Item = &Part<'a>> {
        self.from_credentials.iter().chain(&self.from_config)
    }

    fn value<'b>(&'b self, part: &'b Part<'a>, name: &'static str) -> Result<Option<Value<'b>>, Error> {
        let Some(property) = part.section.property(name) else { return Ok(None) };
        if let Some(broken) = property.broken() {
            return Err(broken_line(part.path, broken));
        }
        let place = Place { property: name, kind: self.kind, name: &self.name, path: part.path, line: property.line };
        Ok(Some(Value { text: &property.value, place }))
    }
}

fn broken_line(path: &Path, Broken { line, why }: Broken) -> Error {
    Error::BrokenLine { path: path.display().to_string(), line, why }
}

/// Whether a header in the config file has this kind and name: its text must be two words when split as by a shell.
fn header_matches(header: &str, kind: Kind, name: &str) -> bool {
    if kind == Kind::Profile && name == "default" && header == "default" {
        return true;
    }
    // botocore checks how the header starts, not its first word.
    if !header.starts_with(kind.word()) {
        return false;
    }
    match second_word(header) {
        Some(word) => word == name,
        None => false,
    }
}

fn second_word(header: &str) -> Option<Cow<'_, str>> {
    // A fast path: nearly all headers are as simple as `profile dev`, and a file may have ten thousand.
    let is_plain = |b: u8| b > b' ' && b < 0x7f && !matches!(b, b'"' | b'\'' | b'\\');
    if let Some((first, second)) = header.split_once(' ')
        && !first.is_empty()
        && !second.is_empty()
        && first.bytes().chain(second.bytes()).all(is_plain)
    {
        return Some(second.into());
    }
    match words::split(header)?.as_mut_slice() {
        [_, second] => Some(std::mem::take(second).into()),
        _ => None,
    }
}

/// The properties whose values may contain whitespace before `#` or `;`. In all others, these characters start a
/// comment; people write comments there even though the AWS CLI does not support them.
const FREE_TEXT: [&str; 8] = [
    "ca_bundle",
    "credential_process",
    "endpoint_url",
    "external_id",
    "login_session",
    "role_session_name",
    "sso_start_url",
    "web_identity_token_file",
];

/// A value without its trailing comment, which must be preceded by whitespace.
pub fn without_comment<'a>(property: &str, value: &'a str) -> &'a str {
    if FREE_TEXT.iter().any(|free| property.eq_ignore_ascii_case(free)) {
        return value;
    }
    let mut starts = value.match_indices(['#', ';']).map(|(at, _)| at);
    let comment = starts.find(|&at| at == 0 || value[..at].ends_with(char::is_whitespace));
    value[..comment.unwrap_or(value.len())].trim_end()
}

#[cfg(test)]
pub mod tests;
