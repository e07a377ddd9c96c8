//! The grammar of AWS's config and credentials files, as read by the AWS CLI with Python's `RawConfigParser` and
//! botocore's `configloader`. Pure and lazy: a file is split into sections once, and only the requested sections are
//! parsed, because some files contain ten thousand profiles.
//!
//! Deliberate differences: a byte order mark is ignored; repeated sections and properties are merged, and the later
//! property wins; blanks just inside the brackets are trimmed; and a broken line invalidates only its own section, not
//! the whole file.

use std::borrow::Cow;
use std::fmt;

/// One file, split into its sections. It and everything derived from it may contain secrets and is never printed.
#[derive(Default)]
pub struct AwsFile<'a> {
    text: &'a str,
    /// In the order of the file.
    headers: Vec<Header>,
    /// The first line that should not be there: one that comes before any header.
    stray: Option<Broken>,
}

/// Where a section begins, as byte offsets; files are far smaller than four gigabytes.
#[derive(Clone, Copy, Debug)]
struct Header {
    /// Of its line.
    start: u32,
    /// Counted from 1.
    line: u32,
    name_start: u32,
    name_end: u32,
}

/// The properties of one section, or of several merged ones, in file order.
#[derive(Default)]
pub struct Section<'a> {
    properties: Vec<Property<'a>>,
    /// The first line that is neither a property nor a comment.
    broken: Option<Broken>,
}

pub struct Property<'a> {
    key: &'a str,
    /// Including its continuation lines, each after a newline, as Python joins them.
    pub value: Cow<'a, str>,
    /// Counted from 1.
    pub line: u32,
    /// A line that is not `a = b` in a value that starts with a newline, which the AWS CLI reads as a table.
    broken_table: Option<u32>,
}

/// A line that cannot be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    pub line: u32,
    pub why: &'static str,
}

const NO_DELIMITER: &str = "it has no `=` or `:`, and is neither a `[section]` nor a comment";
const NO_KEY: &str = "there is no name before the `=` or `:`";
const NO_SECTION: &str = "it comes before the first `[section]`";

/// The section whose properties are inherited by every other section of its file.
const DEFAULTS: &str = "DEFAULT";

impl<'a> AwsFile<'a> {
    pub fn new(text: &'a str) -> Self {
        let mut file = AwsFile { text, headers: Vec::new(), stray: None };
        let mut scanner = Scanner::default();
        let position = |at: usize| u32::try_from(at).expect("no file of four gigabytes is read");
        let position_of = |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
        // Reserved at once, not by doubling: each page of memory costs as much as about a thousand bytes of text.
        file.headers.reserve_exact(text.matches('[').count());
        for line in lines(text) {
            if !file.headers.is_empty() && scanner.skips(line.text) {
                continue;
            }
            match scanner.classify(&line) {
                LineKind::Header(name) => {
                    let name = name.trim_matches([' ', '\t']);
                    let name_start = position_of(name);
                    file.headers.push(Header {
                        start: position(line.start),
                        line: line.number,
                        name_start: position(name_start),
                        name_end: position(name_start + name.len()),
                    });
                }
                LineKind::Property { .. } | LineKind::Broken(_) if file.headers.is_empty() => {
                    file.stray = file.stray.or(Some(Broken { line: line.number, why: NO_SECTION }));
                    scanner = Scanner::default();
                }
                _ => {}
            }
        }
        file
    }

    /// The text between the brackets of each header, with its line number, in file order.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, u32)> + '_ {
        self.headers.iter().map(|header| (self.name(header), header.line)).filter(|(name, _)| *name != DEFAULTS)
    }

    /// The section with this name, merged if it appears more than once and including the properties of `[DEFAULT]`,
    /// which itself is not a section.
    pub fn section(&self, name: &str) -> Option<Section<'a>> {
        if name == DEFAULTS {
            return None;
        }
        let mut section = Section::default();
        let mut is_there = false;
        for wanted in [DEFAULTS, name] {
            for (at, header) in self.headers.iter().enumerate() {
                if self.name(header) == wanted {
                    is_there |= wanted == name;
                    section.read(self.body(at));
                }
            }
        }
        is_there.then_some(section)
    }

    /// The first line that should not be there: one that comes before any header.
    pub fn stray(&self) -> Option<Broken> {
        self.stray
    }

    /// Every line in the file that cannot be parsed.
    pub fn broken_lines(&self) -> Vec<Broken> {
        let mut broken: Vec<Broken> = self.stray.into_iter().collect();
        for at in 0..self.headers.len() {
            let mut section = Section::default();
            section.read(self.body(at));
            broken.extend(section.broken);
            broken.extend(section.properties.iter().filter_map(Property::broken));
        }
        broken
    }

    fn name(&self, header: &Header) -> &'a str {
        &self.text[header.name_start as usize..header.name_end as usize]
    }

    /// The lines of a section, its header first.
    fn body(&self, at: usize) -> impl Iterator<Item = Line<'a>> + use<'a> {
        let Header { start, line, .. } = self.headers[at];
        let end = self.headers.get(at + 1).map_or(self.text.len(), |next| next.start as usize);
        lines(&self.text[start as usize..end]).map(move |of_body| Line { number: of_body.number + line - 1, ..of_body })
    }
}

impl<'a> Section<'a> {
    /// The last property with this name, ignoring case, even if it is empty.
    pub fn property(&self, key: &str) -> Option<&Property<'a>> {
        self.properties.iter().rev().find(|property| property.has_key(key))
    }

    /// All properties except those replaced by a later one with the same name.
    pub fn properties(&self) -> impl Iterator<Item = &Property<'a>> {
        let replaced = |at: usize, key| self.properties[at + 1..].iter().any(|later| later.has_key(key));
        self.properties.iter().enumerate().filter(move |(at, property)| !replaced(*at, property.key)).map(|(_, of)| of)
    }

    /// All properties as written.
    pub fn written(&self) -> &[Property<'a>] {
        &self.properties
    }

    /// The first line that is neither a property nor a comment.
    pub fn broken(&self) -> Option<Broken> {
        self.broken
    }

    fn read(&mut self, body: impl Iterator<Item = Line<'a>>) {
        let mut scanner = Scanner::default();
        let first = self.properties.len();
        for line in body {
            match scanner.classify(&line) {
                LineKind::Property { key, value } => {
                    let value = Cow::Borrowed(value);
                    self.properties.push(Property { key, value, line: line.number, broken_table: None });
                }
                LineKind::Continuation(text) => {
                    let property = self.properties.last_mut().expect("a continuation follows a property");
                    property.broken_table = property.broken_table.or(table_fault(&property.value, text, line.number));
                    let value = property.value.to_mut();
                    value.push('\n');
                    value.push_str(text);
                }
                LineKind::Broken(why) => self.broken = self.broken.or(Some(Broken { line: line.number, why })),
                LineKind::Header(_) | LineKind::Nothing => {}
            }
        }
        for property in &mut self.properties[first..] {
            if property.value.ends_with(is_space) {
                let len = property.value.trim_end_matches(is_space).len();
                property.value.to_mut().truncate(len);
            }
        }
    }
}

impl fmt::Debug for Section<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} properties", self.properties.len())
    }
}

impl Property<'_> {
    /// The key as written.
    pub fn key(&self) -> &str {
        self.key
    }

    /// Python lower-cases all letters, not only ASCII.
    fn has_key(&self, key: &str) -> bool {
        let is_ascii = self.key.is_ascii() && key.is_ascii();
        self.key.eq_ignore_ascii_case(key) || (!is_ascii && self.key.to_lowercase() == key.to_lowercase())
    }

    /// The properties in this value, if it is a table.
    pub fn table(&self) -> Option<impl Iterator<Item = (&str, &str)>> {
        let pairs = || self.value.split(is_line_end).filter_map(|line| line.split_once('='));
        self.value.starts_with('\n').then(|| pairs().map(|(key, value)| (trimmed(key), trimmed(value))))
    }

    pub fn broken(&self) -> Option<Broken> {
        let why = "in a value that starts on the next line, the AWS CLI expects `name = value` on every line";
        self.broken_table.map(|line| Broken { line, why })
    }
}

/// The line number, if this continuation line makes the value a table that the AWS CLI rejects.
fn table_fault(value: &str, continuation: &str, line: u32) -> Option<u32> {
    let is_table = value.is_empty() || value.starts_with('\n');
    let is_fine = |line: &str| trimmed(line).is_empty() || line.contains('=');
    (is_table && !continuation.split(is_line_end).all(is_fine)).then_some(line)
}

/// A line without its line ending.
#[derive(Clone, Copy)]
struct Line<'a> {
    text: &'a str,
    /// The byte offset from the start of the split text.
    start: usize,
    /// Counted from 1.
    number: u32,
}

/// Lines end at LF, CRLF or CR.
fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let has_cr = text.contains('\r');
    let mut start = 0;
    let mut number = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let end = if has_cr { rest.find(['\n', '\r']) } else { rest.find('\n') };
        let end_len = |at: usize| if rest[at..].starts_with("\r\n") { 2 } else { 1 };
        let (len, next) = end.map_or((rest.len(), rest.len()), |at| (at, at + end_len(at)));
        let line = Line { text: &rest[..len], start, number: number + 1 };
        (start, number) = (start + next, number + 1);
        Some(line)
    })
}

/// Classifies lines, depending on those before them.
#[derive(Default)]
struct Scanner {
    /// Whether there is a property that the next line can continue.
    has_property: bool,
    /// The indentation, in characters, of the last line that was not a continuation.
    indentation: usize,
}

enum LineKind<'a> {
    /// A comment, or a blank line that is not part of a value.
    Nothing,
    /// The text between the brackets.
    Header(&'a str),
    Property {
        key: &'a str,
        value: &'a str,
    },
    /// A continuation of the previous value; empty for a blank line.
    Continuation(&'a str),
    Broken(&'static str),
}

impl Scanner {
    /// Whether this is an unindented property, as nearly all lines are; the next line depends on nothing else about it.
    fn skips(&mut self, line: &str) -> bool {
        let is_plain = line.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
            && line.bytes().any(|b| matches!(b, b'=' | b':'));
        if is_plain {
            (self.has_property, self.indentation) = (true, 0);
        }
        is_plain
    }

    fn classify<'a>(&mut self, line: &Line<'a>) -> LineKind<'a> {
        let text = line.text.trim_matches(is_space);
        let Some(first) = text.bytes().next() else {
            return if self.has_property { LineKind::Continuation("") } else { LineKind::Nothing };
        };
        if matches!(first, b'#' | b';') {
            return LineKind::Nothing;
        }
        let indentation = match line.text.as_bytes()[0] {
            space if space > b' ' && space < 0x80 => 0,
            _ => line.text.chars().take_while(|&c| is_space(c)).count(),
        };
        if self.has_property && indentation > self.indentation {
            return LineKind::Continuation(text);
        }
        self.indentation = indentation;
        if let Some(name) = header_name(text) {
            self.has_property = false;
            return LineKind::Header(name);
        }
        let Some(at) = text.bytes().position(|b| matches!(b, b'=' | b':')) else {
            return LineKind::Broken(NO_DELIMITER);
        };
        let (key, value) = (text[..at].trim_end_matches(is_space), text[at + 1..].trim_start_matches(is_space));
        self.has_property = !key.is_empty();
        if key.is_empty() { LineKind::Broken(NO_KEY) } else { LineKind::Property { key, value } }
    }
}

/// The text between the first and last bracket of a header; anything after it is ignored.
fn header_name(line: &str) -> Option<&str> {
    let inside = line.strip_prefix('[')?;
    let end = inside.rfind(']').filter(|&end| end > 0)?;
    Some(&inside[..end])
}

/// Whitespace as defined by Python's `str.strip`.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Line endings as defined by Python's `str.splitlines`.
fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(is_space)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The properties of a section as `key=value` lines, with `|` for a newline in a value.
    fn section(text: &str, name: &str) -> Vec<String> {
        let section = AwsFile::new(text).section(name).expect("the section is there");
        let shown = |property: &Property| format!("{}={}", property.key(), property.value.replace('\n', "|"));
        section.properties().map(shown).collect()
    }

    /// The expected values are the results of Python's `RawConfigParser` for the same text.
    #[test]
    fn properties_and_continuations_match_python() {
        for (text, expected) in [
            ("[a]\nk = v\n", &["k=v"][..]),
            ("[a] # c\n  k: v = w\n", &["k=v = w"]),
            ("  [a]\n  k=v\n  l=w\n", &["k=v", "l=w"]),
            ("[a]\nk = v\n w\n\n  x\nl =\n", &["k=v|w||x", "l="]),
            ("[a]\nk = v\n # no comment continues\n w # but this\n", &["k=v|w # but this"]),
            ("[a]\n  k = v\n    w\n   x\n  l = y\n", &["k=v|w|x", "l=y"]),
            ("[a]\nk =\n  b = c\n", &["k=|b = c"]),
            ("[a]\nk = v\n [b]\n", &["k=v|[b]"]),
            ("[a]\n k = v\n[b]\nl = w\n", &["k=v"]),
            ("[a]\r\nk = v\rl = w\r\n\r\n", &["k=v", "l=w"]),
            ("[a]\n\u{a0}k = v\n\u{a0}\u{a0}w\n", &["k=v|w"]),
            ("[a]\nk = v # w\n", &["k=v # w"]),
            ("[a]\nk = ]x[\nl = [y]\n", &["k=]x[", "l=[y]"]),
            ("[DEFAULT]\nk = d\nl = e\n[a]\nK = v\n", &["l=e", "K=v"]),
            ("[DEFAULT]\n\u{212a} = d\n\u{c9} = e\n[a]\nk = v\n\u{e9} = w\n", &["k=v", "\u{e9}=w"]),
            ("[a]\nk = v\n[b]\nk = w\n[a]\nk = x\nl = y\n", &["k=x", "l=y"]),
        ] {
            assert_eq!(section(text, "a"), expected, "{text:?}");
            assert_eq!(AwsFile::new(text).broken_lines(), [], "{text:?}");
        }
    }

    #[test]
    fn a_header_ends_at_its_last_bracket() {
        let names =
            |text: &str| AwsFile::new(text).headers().map(|(name, line)| format!("{line}:{name}")).collect::<Vec<_>>();
        assert_eq!(names("[a]\n[b] # x\n[c] # [d]\n[ e ]\n[]f]\n"), ["1:a", "2:b", "3:c] # [d", "4:e", "5:]f"]);
        assert_eq!(names("\n# [x]\n\t[a]\r[b]\r\n[DEFAULT]\n"), ["3:a", "4:b"]);
        assert_eq!(names("[a]\nk = v\n  [b]\n[c]"), ["1:a", "4:c"]);
    }

    #[test]
    fn the_default_section_is_not_a_section_itself() {
        assert!(AwsFile::new("[DEFAULT]\nk = v\n[a]\n").section("DEFAULT").is_none());
    }

    #[test]
    fn broken_lines_have_their_number_and_section() {
        let text = "stray = x\n[a]\nk = v\n[profile b\n= w\n[c]\n[]\n[d]\ns3 =\n  a = b\n  c\n";
        let file = AwsFile::new(text);
        let lines: Vec<u32> = file.broken_lines().iter().map(|broken| broken.line).collect();
        assert_eq!(lines, [1, 4, 7, 11]);
        let line = |name: &str| file.section(name)?.broken().map(|broken| broken.line);
        assert_eq!((line("a"), line("c"), line("d")), (Some(4), Some(7), None));
        assert_eq!(file.section("d").and_then(|d| d.property("s3")?.broken()).map(|broken| broken.line), Some(11));
    }

    #[test]
    fn a_table_has_its_own_properties() {
        let file = AwsFile::new("[services x]\nsts =\n  endpoint_url = http://a=b\n\n  Other=c\nec2 = d\n");
        let section = file.section("services x").expect("it is there");
        let table = |key: &str| {
            let pairs = section.property(key)?.table()?;
            Some(pairs.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>())
        };
        assert_eq!(table("STS").expect("a table"), ["endpoint_url=http://a=b", "Other=c"]);
        assert_eq!(table("ec2"), None);
    }

    proptest! {
        #[test]
        fn the_reader_never_panics(text in "([\\[\\]# ;:=\t\u{a0}\u{1c}a-c\n\r]|\\PC){0,200}") {
            let file = AwsFile::new(&text);
            for (name, _) in file.headers() {
                let _ = file.section(name).expect("a header makes a section").properties().count();
            }
            let _ = file.broken_lines();
        }
    }
}
