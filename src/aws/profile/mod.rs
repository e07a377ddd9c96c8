//! Which sections of the AWS config and credentials files are which profile, as the AWS CLI names and merges them, and
//! what a profile says. Pure.

pub mod grammar;

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use crate::aws::error::Error;
use crate::say::text::shown;
use crate::say::words;
use grammar::{AwsFile, Broken, Section};

/// Both files, read once.
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
    /// The credentials file's properties come before the config file's.
    from_credentials: Option<Part<'a>>,
    from_config: Option<Part<'a>>,
}

#[derive(Debug)]
struct Part<'a> {
    path: &'a Path,
    section: Section<'a>,
}

/// What a header of the config file begins with.
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

/// The value of a property, and where it is written.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    pub text: &'a str,
    pub place: Place<'a>,
}

/// A value that is kept, and where it is written, in words: a variable, or a property with its profile.
#[derive(Clone, PartialEq, Eq)]
pub struct Located {
    pub text: String,
    pub place: String,
}

/// A URL may hold a password.
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

/// Where a property is written. Shows as a person would look for it.
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
            Kind::Profile => write!(f, "`{property}` of profile `{name}`")?,
            Kind::SsoSession | Kind::Services => write!(f, "`{property}` of `[{} {name}]`", kind.word())?,
        }
        write!(f, " (line {line} of {})", shown(&path.display().to_string()))
    }
}

/// Keys as one file has them: they are never joined from two.
pub struct KeyProperties<'a> {
    pub in_credentials_file: bool,
    pub id: Value<'a>,
    pub secret: Option<Value<'a>>,
    pub session_token: Option<Value<'a>>,
    /// What the tools that wrote them say of their end.
    pub expiry: Option<Value<'a>>,
}

impl<'a> ProfileFiles<'a> {
    /// Each file by its path and its text, which is empty where there is none.
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
    /// [`Error::BrokenLine`], where one of its sections has a line that cannot be understood.
    pub fn profile(&self, name: &str) -> Result<Option<Profile<'a>>, Error> {
        let from_credentials = self.credentials.part(name)?;
        self.with_config(Kind::Profile, name, from_credentials)
    }

    /// A section of the config file that profiles refer to.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn section(&self, kind: Kind, name: &str) -> Result<Option<Profile<'a>>, Error> {
        self.with_config(kind, name, None)
    }

    fn with_config(
        &self,
        kind: Kind,
        name: &str,
        from_credentials: Option<Part<'a>>,
    ) -> Result<Option<Profile<'a>>, Error> {
        // Of `[default]` and `[profile default]`, or `[x y]` and `[x "y"]`, the later replaces the earlier.
        let mut headers: Vec<&str> = Vec::new();
        for (header, _) in self.config.sections.headers() {
            if is_of(header, kind, name) && !headers.contains(&header) {
                headers.push(header);
            }
        }
        let from_config = headers.last().map_or(Ok(None), |header| self.config.part(header))?;
        let is_there = from_credentials.is_some() || from_config.is_some();
        Ok(is_there.then(|| Profile { name: name.to_owned(), kind, from_credentials, from_config }))
    }

    /// # Errors
    ///
    /// [`Error::BrokenLine`], for what stands before the first header of a file: perhaps below one that lacks its bracket, so
    /// that its profile would be passed over for another source.
    pub fn check(&self) -> Result<(), Error> {
        for file in [&self.config, &self.credentials] {
            if let Some(stray) = file.sections.stray() {
                return Err(broken_line(file.path, stray));
            }
        }
        Ok(())
    }

    /// Both paths as one would name them in a message.
    pub fn paths(&self) -> String {
        format!("{} or {}", self.config.path.display(), self.credentials.path.display())
    }

    /// What a person who looks for this profile may have written in its place: the header and its line.
    pub fn mistaken_header(&self, name: &str) -> Option<MistakenHeader> {
        let find = |file: &File, written: &str, meant: String| {
            let (_, line) = file.sections.headers().find(|(header, _)| *header == written)?;
            let path = file.path.display().to_string();
            Some(MistakenHeader { written: format!("[{written}]"), meant, path, line })
        };
        let quoted = if name.contains([' ', '\t']) { format!("\"{name}\"") } else { name.to_owned() };
        find(&self.config, name, format!("[profile {quoted}]"))
            .or_else(|| find(&self.credentials, &format!("profile {name}"), format!("[{name}]")))
            .or_else(|| find(&self.config, &format!("profile {name}"), format!("[profile {quoted}]")))
    }

    /// Each line that cannot be understood, in whatever section: its file, its number, and why.
    pub fn broken_lines(&self) -> impl Iterator<Item = (&'a Path, Broken)> {
        let of = |file: &File<'a>| {
            let path = file.path;
            file.sections.broken_lines().into_iter().map(move |broken| (path, broken)).collect::<Vec<_>>()
        };
        of(&self.config).into_iter().chain(of(&self.credentials))
    }
}

/// A header that the AWS CLI does not take for the profile that is looked for.
#[derive(Debug, PartialEq, Eq)]
pub struct MistakenHeader {
    pub written: String,
    pub meant: String,
    pub path: String,
    pub line: u32,
}

impl fmt::Display for MistakenHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MistakenHeader { written, meant, path, line } = self;
        let (written, meant, path) = (shown(written), shown(meant), shown(path));
        write!(f, "`{written}` (line {line} of {path}) is not this profile: its header must be `{meant}` there")
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

    /// Whether this is set, to nothing too.
    pub fn has(&self, property: &str) -> bool {
        self.parts().any(|part| part.section.property(property).is_some())
    }

    /// The value of a property. One that is set to nothing is not set. A comment behind it is cut, unless the property is
    /// one that may hold anything.
    ///
    /// # Errors
    ///
    /// [`Error::BrokenLine`], where the value is one for which the AWS CLI refuses the file.
    pub fn get(&self, property: &'static str) -> Result<Option<Value<'_>>, Error> {
        for part in self.parts() {
            if let Some(value) = self.value(part, property)?.filter(|value| !value.text.is_empty()) {
                let value = Value { text: without_comment(property, value.text), ..value };
                return Ok(Some(value).filter(|value| !value.text.is_empty()));
            }
        }
        Ok(None)
    }

    /// A property in the table of another, such as `endpoint_url` in `sts =` of a services section. Its place is that of
    /// the table.
    ///
    /// # Errors
    ///
    /// The same.
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

    /// A secret without an id is nothing. Of the session token's two names the old one comes first.
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

    /// All properties, those that come first first.
    pub fn properties(&self) -> impl Iterator<Item = (&str, &str)> {
        let properties = self.parts().flat_map(|part| part.section.properties());
        properties.map(|property| (property.key(), &*property.value))
    }

    /// What is written in the credentials file, and in the config file: what tells this profile from all others.
    pub fn written_by_file(&self) -> [impl Iterator<Item = (&str, &str)>; 2] {
        [&self.from_credentials, &self.from_config].map(|part| {
            let properties = part.iter().flat_map(|part| part.section.written());
            properties.map(|property| (property.key(), &*property.value))
        })
    }

    /// A property as it is written, whatever it is.
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

/// Whether a header of the config file is of this kind and name: its text, split into words as by a shell, is two.
fn is_of(header: &str, kind: Kind, name: &str) -> bool {
    if kind == Kind::Profile && name == "default" && header == "default" {
        return true;
    }
    // botocore asks what the header starts with, not what its first word is.
    if !header.starts_with(kind.word()) {
        return false;
    }
    match second_word(header) {
        Some(word) => word == name,
        None => false,
    }
}

fn second_word(header: &str) -> Option<Cow<'_, str>> {
    // Nearly all are as plain as `profile dev`, and a file may have ten thousand.
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

/// The properties whose values may hold white space before `#` or `;`. In all others that is a comment, which people
/// write although the AWS CLI knows none there.
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

/// A value as it is meant. A comment needs white space before it.
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
