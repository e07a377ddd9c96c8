//! The grammar of AWS's config and credentials files: what the AWS CLI reads with Python's `RawConfigParser` and
//! botocore's `configloader`, whose dialect people write. Pure, and lazy: a file is cut into sections once, and only the
//! sections that somebody asks for are read, because some files hold ten thousand profiles.
//!
//! On purpose otherwise than there: a byte order mark is passed over; sections and properties that stand twice are joined,
//! and the later property counts; blanks just inside the brackets are cut; and a broken line spoils its own section, not
//! the whole file.

use std::borrow::Cow;
use std::fmt;

/// One file, cut into its sections. Like all that comes out of it, it may hold secrets, and does not print.
#[derive(Default)]
pub struct AwsFile<'a> {
    text: &'a str,
    /// In the order of the file.
    headers: Vec<Header>,
    /// The first line that stands before any header and should not.
    stray: Option<Broken>,
}

/// Where a section begins. All are positions in bytes; files are far below four gigabytes.
#[derive(Clone, Copy, Debug)]
struct Header {
    /// Of its line.
    start: u32,
    /// Counted from 1.
    line: u32,
    name_start: u32,
    name_end: u32,
}

/// The properties of one section, or of several that were joined, in the order of the file.
#[derive(Default)]
pub struct Section<'a> {
    properties: Vec<Property<'a>>,
    /// The first line that is neither a property nor a comment.
    broken: Option<Broken>,
}

pub struct Property<'a> {
    key: &'a str,
    /// With the lines that continue it, each behind a newline, as Python joins them.
    pub value: Cow<'a, str>,
    /// Counted from 1.
    pub line: u32,
    /// A line of a table that is no `a = b`: the value starts with a newline, and the AWS CLI takes it for a table.
    broken_table: Option<u32>,
}

/// A line that cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    pub line: u32,
    pub why: &'static str,
}

const NO_DELIMITER: &str = "it has neither `=` nor `:`, and is no `[section]` and no comment";
const NO_KEY: &str = "there is no name before the `=` or `:`";
const NO_SECTION: &str = "it stands before the first `[section]`";

/// The section whose properties every other section of its file has as well.
const DEFAULTS: &str = "DEFAULT";

impl<'a> AwsFile<'a> {
    pub fn new(text: &'a str) -> Self {
        let mut file = AwsFile { text, headers: Vec::new(), stray: None };
        let mut scanner = Scanner::default();
        let position = |at: usize| u32::try_from(at).expect("a file of four gigabytes is not read");
        let position_of = |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
        // At once, and not by doubling: each page of memory costs as much as some thousand bytes of text.
        file.headers.reserve_exact(text.matches('[').count());
        for line in lines(text) {
            if !file.headers.is_empty() && scanner.passes_over(line.text) {
                continue;
            }
            match scanner.meaning(&line) {
                Meaning::Header(name) => {
                    let name = name.trim_matches([' ', '\t']);
                    let name_start = position_of(name);
                    file.headers.push(Header {
                        start: position(line.start),
                        line: line.number,
                        name_start: position(name_start),
                        name_end: position(name_start + name.len()),
                    });
                }
                Meaning::Property { .. } | Meaning::Broken(_) if file.headers.is_empty() => {
                    file.stray = file.stray.or(Some(Broken { line: line.number, why: NO_SECTION }));
                    scanner = Scanner::default();
                }
                _ => {}
            }
        }
        file
    }

    /// What stands between the brackets of each header, in the order of the file, and in which line.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, u32)> + '_ {
        self.headers.iter().map(|header| (self.name(header), header.line)).filter(|(name, _)| *name != DEFAULTS)
    }

    /// The section of this name, joined where it stands more than once, with what `[DEFAULT]` gives it, which is none
    /// itself.
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

    /// The first line that stands before any header and should not.
    pub fn stray(&self) -> Option<Broken> {
        self.stray
    }

    /// Every line that cannot be understood, wherever it stands.
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
    /// The last property of this name, in any case; one that is set to nothing too.
    pub fn property(&self, key: &str) -> Option<&Property<'a>> {
        self.properties.iter().rev().find(|property| property.has_key(key))
    }

    /// All, without those that a later one of the same name replaces.
    pub fn properties(&self) -> impl Iterator<Item = &Property<'a>> {
        let replaced = |at: usize, key| self.properties[at + 1..].iter().any(|later| later.has_key(key));
        self.properties.iter().enumerate().filter(move |(at, property)| !replaced(*at, property.key)).map(|(_, of)| of)
    }

    /// All, as they are written.
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
            match scanner.meaning(&line) {
                Meaning::Property { key, value } => {
                    let value = Cow::Borrowed(value);
                    self.properties.push(Property { key, value, line: line.number, broken_table: None });
                }
                Meaning::Continuation(text) => {
                    let property = self.properties.last_mut().expect("something is continued");
                    property.broken_table = property.broken_table.or(table_fault(&property.value, text, line.number));
                    let value = property.value.to_mut();
                    value.push('\n');
                    value.push_str(text);
                }
                Meaning::Broken(why) => self.broken = self.broken.or(Some(Broken { line: line.number, why })),
                Meaning::Header(_) | Meaning::Nothing => {}
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
    /// As it is written.
    pub fn key(&self) -> &str {
        self.key
    }

    /// Python lowers all letters, not only those of ASCII.
    fn has_key(&self, key: &str) -> bool {
        let is_ascii = self.key.is_ascii() && key.is_ascii();
        self.key.eq_ignore_ascii_case(key) || (!is_ascii && self.key.to_lowercase() == key.to_lowercase())
    }

    /// The properties in the table that this value is; `None` where it is none.
    pub fn table(&self) -> Option<impl Iterator<Item = (&str, &str)>> {
        let pairs = || self.value.split(is_line_end).filter_map(|line| line.split_once('='));
        self.value.starts_with('\n').then(|| pairs().map(|(key, value)| (trimmed(key), trimmed(value))))
    }

    pub fn broken(&self) -> Option<Broken> {
        let why = "in a value that begins on the next line, the AWS CLI wants `name = value` on each line";
        self.broken_table.map(|line| Broken { line, why })
    }
}

/// Whether a line that continues a value makes it a table that the AWS CLI refuses.
fn table_fault(value: &str, continuation: &str, line: u32) -> Option<u32> {
    let is_table = value.is_empty() || value.starts_with('\n');
    let is_fine = |line: &str| trimmed(line).is_empty() || line.contains('=');
    (is_table && !continuation.split(is_line_end).all(is_fine)).then_some(line)
}

/// A line without its end.
#[derive(Clone, Copy)]
struct Line<'a> {
    text: &'a str,
    /// In bytes from the beginning of what was cut into lines.
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

/// What one line says, which depends on those before it.
#[derive(Default)]
struct Scanner {
    /// Whether there is a property that the next line can continue.
    has_property: bool,
    /// How far the last line that continued nothing was indented, in characters.
    indentation: usize,
}

enum Meaning<'a> {
    /// A comment; or a blank line that belongs to no value.
    Nothing,
    /// What stands between its brackets.
    Header(&'a str),
    Property {
        key: &'a str,
        value: &'a str,
    },
    /// Empty for a blank line.
    Continuation(&'a str),
    Broken(&'static str),
}

impl Scanner {
    /// Whether this is a property that is not indented, as nearly all lines are; nothing of it matters to the next line but
    /// that it was one.
    fn passes_over(&mut self, line: &str) -> bool {
        let is_plain = line.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
            && line.bytes().any(|b| matches!(b, b'=' | b':'));
        if is_plain {
            (self.has_property, self.indentation) = (true, 0);
        }
        is_plain
    }

    fn meaning<'a>(&mut self, line: &Line<'a>) -> Meaning<'a> {
        let text = line.text.trim_matches(is_space);
        let Some(first) = text.bytes().next() else {
            return if self.has_property { Meaning::Continuation("") } else { Meaning::Nothing };
        };
        if matches!(first, b'#' | b';') {
            return Meaning::Nothing;
        }
        let indentation = match line.text.as_bytes()[0] {
            space if space > b' ' && space < 0x80 => 0,
            _ => line.text.chars().take_while(|&c| is_space(c)).count(),
        };
        if self.has_property && indentation > self.indentation {
            return Meaning::Continuation(text);
        }
        self.indentation = indentation;
        if let Some(name) = header_name(text) {
            self.has_property = false;
            return Meaning::Header(name);
        }
        let Some(at) = text.bytes().position(|b| matches!(b, b'=' | b':')) else {
            return Meaning::Broken(NO_DELIMITER);
        };
        let (key, value) = (text[..at].trim_end_matches(is_space), text[at + 1..].trim_start_matches(is_space));
        self.has_property = !key.is_empty();
        if key.is_empty() { Meaning::Broken(NO_KEY) } else { Meaning::Property { key, value } }
    }
}

/// What stands between the first and the last bracket of a header; what follows is passed over.
fn header_name(line: &str) -> Option<&str> {
    let inside = line.strip_prefix('[')?;
    let end = inside.rfind(']').filter(|&end| end > 0)?;
    Some(&inside[..end])
}

/// White space as Python's `str.strip` knows it.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// The ends of lines that Python's `str.splitlines` knows.
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

    /// The properties of a section as `key=value` lines, a newline in a value as `|`.
    fn section(text: &str, name: &str) -> Vec<String> {
        let section = AwsFile::new(text).section(name).expect("the section is there");
        let shown = |property: &Property| format!("{}={}", property.key(), property.value.replace('\n', "|"));
        section.properties().map(shown).collect()
    }

    /// The right sides are what Python's `RawConfigParser` makes of the same text.
    #[test]
    fn properties_and_what_continues_them_are_those_of_python() {
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
    fn a_header_reaches_to_its_last_bracket() {
        let names =
            |text: &str| AwsFile::new(text).headers().map(|(name, line)| format!("{line}:{name}")).collect::<Vec<_>>();
        assert_eq!(names("[a]\n[b] # x\n[c] # [d]\n[ e ]\n[]f]\n"), ["1:a", "2:b", "3:c] # [d", "4:e", "5:]f"]);
        assert_eq!(names("\n# [x]\n\t[a]\r[b]\r\n[DEFAULT]\n"), ["3:a", "4:b"]);
        assert_eq!(names("[a]\nk = v\n  [b]\n[c]"), ["1:a", "4:c"]);
    }

    #[test]
    fn what_all_sections_have_is_no_section_itself() {
        assert!(AwsFile::new("[DEFAULT]\nk = v\n[a]\n").section("DEFAULT").is_none());
    }

    #[test]
    fn a_broken_line_is_known_by_its_number_and_its_section() {
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
        fn no_text_makes_the_reader_panic(text in "([\\[\\]# ;:=\t\u{a0}\u{1c}a-c\n\r]|\\PC){0,200}") {
            let file = AwsFile::new(&text);
            for (name, _) in file.headers() {
                let _ = file.section(name).expect("a header makes a section").properties().count();
            }
            let _ = file.broken_lines();
        }
    }
}
