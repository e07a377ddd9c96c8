//! Generates realistic and unrealistic files. Each line is tagged with its features, so that the test can check that
//! every feature occurs.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Select, select};

/// One file.
#[derive(Clone)]
pub struct Document {
    pub text: String,
    pub features: Vec<&'static str>,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

#[derive(Clone, Debug)]
struct Line {
    text: String,
    features: Vec<&'static str>,
}

fn one_of<T: Clone + std::fmt::Debug + 'static, const N: usize>(choices: [T; N]) -> Select<T> {
    select(choices.to_vec())
}

fn line(features: &[&'static str], text: impl Into<String>) -> Line {
    Line { text: text.into(), features: features.to_vec() }
}

macro_rules! features {
    ($($name:ident = $text:literal;)*) => {
        $(const $name: &str = $text;)*
        pub const FEATURES: &[&str] = &[$($name),*];
    };
}

features! {
    EMPTY = "a file without a line";
    CHAOS = "characters in any order";
    SOUP = "lines in any order";
    BOM = "a byte order mark";
    LF = "lines that end with LF";
    CRLF = "lines that end with CRLF";
    CR = "lines that end with CR";
    MIXED_ENDS = "lines that end in several ways";
    NO_LAST_END = "a last line without an end";
    BLANK = "a blank line";
    WHITE_LINE = "a line of white space";
    NO_BREAK_SPACE = "a no-break space at the start of a line";
    SEPARATOR = "one of \\x1c to \\x1f at the start of a line";
    OTHER_SPACE = "other white space at the start of a line";
    HASH = "a comment with #";
    SEMICOLON = "a comment with ;";
    INDENTED_COMMENT = "an indented comment";
    COMMENT_BEHIND_HEADER = "a comment after a header";
    COMMENT_BEHIND_VALUE = "a comment after a value";
    STRAY = "a property before any header";
    STRAY_TEXT = "text before any header";
    INDENTED_HEADER = "an indented header";
    INDENTED_PROPERTY = "an indented property";
    EQUALS = "a property with =";
    COLON = "a property with :";
    EMPTY_VALUE = "an empty value";
    EMPTY_KEY = "an empty key";
    NO_DELIMITER = "a line without a delimiter";
    OPEN_HEADER = "a header without its bracket";
    EMPTY_HEADER = "[]";
    NON_ASCII_KEY = "a key that is not ASCII";
    KELVIN = "the Kelvin sign in a key";
    ODD_KEY = "a key with odd characters";
    TRAILING_SPACE = "whitespace after a value";
    CONTINUATION = "a continuation";
    STAIRCASE = "continuations less and less deep";
    BLANK_IN_VALUE = "a blank line within a value";
    COMMENT_IN_VALUE = "a comment within a value";
    HEADER_IN_VALUE = "what looks like a header within a value";
    PROPERTY_IN_VALUE = "what looks like a property within a value";
    NOT_DEEPER = "text no deeper than its property";
    DEEP_AFTER_HEADER = "a property deeper than its header";
    TABLE = "a table";
    TABLE_TWICE = "a repeated key in a table";
    TABLE_BLANK = "a table with blanks and comments";
    TABLE_LINE_END = "a table with a line end that only Python knows";
    BROKEN_TABLE = "a broken table";
    COMMAND_BELOW = "a command below credential_process";
    OPTION_TWICE = "a repeated option";
    OPTION_TWICE_CASE = "an option that stands twice in different case";
    OPTION_TWICE_KELVIN = "an option that stands twice, once with the Kelvin sign";
    SECTION_TWICE = "a repeated section";
    TWO_SPELLINGS = "a profile in two spellings";
    DEFAULTS = "[DEFAULT]";
    DEFAULTS_TWICE = "[DEFAULT] twice";
    BROKEN_DEFAULTS = "[DEFAULT] with a broken table";
    DEFAULT = "[default]";
    PROFILE_DEFAULT = "[profile default]";
    PROFILE = "[profile x]";
    BARE = "[x]";
    PROFILE_FOO = "[profilefoo x]";
    SSO_SESSION = "[sso-session x]";
    SERVICES = "[services x]";
    DOUBLE_QUOTES = "double quotes in a header";
    SINGLE_QUOTES = "single quotes in a header";
    OPEN_QUOTE = "an open quote in a header";
    BACKSLASH = "a backslash in a header";
    EMPTY_NAME = "a header with an empty name";
    WORD_COUNT = "a header of one word or of three";
    BLANKS_INSIDE = "blanks just inside the brackets";
    BLANKS_BETWEEN = "other blanks than one between words";
    BRACKETS_INSIDE = "brackets inside a header";
    TEXT_BEHIND_HEADER = "text after a header";
    ODD_NAME = "a name with one of # ; @ + / :";
    NON_ASCII_NAME = "a name that is not ASCII";
}

/// A config file and a credentials file.
pub fn pair() -> impl Strategy<Value = (Document, Document)> {
    (document(config_header().boxed()), document(credentials_header().boxed()))
}

fn document(header: BoxedStrategy<Line>) -> BoxedStrategy<Document> {
    let sections = vec((special_section(header), vec(item(), 0..5)), 1..5);
    let sections = prop_oneof![20 => sections, 1 => Just(Vec::new())];
    let lines = (prelude(), sections).prop_map(|(prelude, sections)| {
        let mut lines = prelude;
        for (header, items) in sections {
            lines.extend(header);
            lines.extend(items.into_iter().flatten());
        }
        lines
    });
    let by_lines = (lines, ends(), vec(0..3_usize, 8), any::<bool>(), prop::bool::weighted(0.02)).prop_map(
        |(lines, ends, mixed, has_last_end, has_bom)| {
            let mut features: Vec<&str> = lines.iter().flat_map(|line| line.features.iter().copied()).collect();
            let mut text = if has_bom { "\u{feff}".to_owned() } else { String::new() };
            features.extend(has_bom.then_some(BOM));
            for (at, line) in lines.iter().enumerate() {
                let end = if ends == MIXED_ENDS { mixed[at % mixed.len()] } else { 0 };
                features.extend(of_indentation(&line.text));
                text.push_str(&line.text);
                let is_last = at + 1 == lines.len();
                if is_last && !has_last_end {
                    features.push(NO_LAST_END);
                    break;
                }
                text.push_str(match ends {
                    LF => "\n",
                    CRLF => "\r\n",
                    CR => "\r",
                    _ => ["\n", "\r\n", "\r"][end],
                });
                features.push(ends);
            }
            features.extend(text.is_empty().then_some(EMPTY));
            Document { text, features }
        },
    );
    let soup = [
        "[a]",
        "[profile a]",
        "[b]",
        "[DEFAULT]",
        "k = v",
        "l:",
        "m =",
        "n = b",
        "c = d",
        "text",
        "# text",
        "",
        "\u{a0}",
    ];
    let soup = vec((indentation(), one_of(soup)), 1..8).prop_map(|lines| {
        let lines: Vec<String> = lines.into_iter().map(|(by, line)| by + line).collect();
        Document { text: "[default]\n".to_owned() + &lines.join("\n"), features: vec![SOUP] }
    });
    let chaos = "([a-cA\\[\\]# ;:=\t\n\r\u{a0}\u{1c}\u{85}\u{2028}\"'\\\\]|\n\\[|\\[profile |=\n  ){0,30}"
        .prop_map(|text| Document { text, features: vec![CHAOS] });
    prop_oneof![20 => by_lines, 1 => soup, 1 => chaos].boxed()
}

fn of_indentation(text: &str) -> Option<&'static str> {
    match text.chars().next()? {
        '\u{a0}' => Some(NO_BREAK_SPACE),
        '\u{1c}'..='\u{1f}' => Some(SEPARATOR),
        '\u{b}' | '\u{c}' | '\u{85}' | '\u{2003}' | '\u{2028}' | '\u{3000}' => Some(OTHER_SPACE),
        _ => None,
    }
}

fn ends() -> BoxedStrategy<&'static str> {
    prop_oneof![6 => Just(LF), 2 => Just(CRLF), 1 => Just(CR), 1 => Just(MIXED_ENDS)].boxed()
}

/// Lines before the first header.
fn prelude() -> BoxedStrategy<Vec<Line>> {
    prop_oneof![
        40 => Just(Vec::new()),
        12 => vec(nothing(), 1..3),
        1 => (indentation(), property()).prop_map(|(by, mut property)| {
            property.features.push(STRAY);
            vec![Line { text: by + &property.text, ..property }]
        }),
        1 => Just(vec![line(&[STRAY_TEXT], "text")]),
    ]
    .boxed()
}

/// A blank line or a comment.
fn nothing() -> BoxedStrategy<Line> {
    let comment = ["# text", "#", "; text", ";", "# [a]", "#k = v", ";k = v"];
    let comment = (indentation(), one_of(comment)).prop_map(|(by, comment)| {
        let kind = if comment.starts_with('#') { HASH } else { SEMICOLON };
        let mut features = vec![kind];
        features.extend((!by.is_empty()).then_some(INDENTED_COMMENT));
        Line { text: by + comment, features }
    });
    prop_oneof![
        2 => Just(line(&[BLANK], "")),
        1 => white(1..4).prop_map(|white| line(&[WHITE_LINE], white)),
        3 => comment,
    ]
    .boxed()
}

/// Whitespace of this many characters.
fn white(len: std::ops::Range<usize>) -> BoxedStrategy<String> {
    let one = prop_oneof![
        12 => Just(' '),
        2 => Just('\t'),
        1 => Just('\u{a0}'),
        1 => one_of(['\u{1c}', '\u{1d}', '\u{1e}', '\u{1f}']),
        1 => one_of(['\u{b}', '\u{c}', '\u{85}', '\u{2003}', '\u{2028}', '\u{3000}']),
    ];
    vec(one, len).prop_map(|chars| chars.into_iter().collect()).boxed()
}

/// Usually empty.
fn indentation() -> BoxedStrategy<String> {
    prop_oneof![4 => Just(String::new()), 1 => white(1..4)].boxed()
}

/// A section; in some files it is repeated, or appears in two spellings.
fn special_section(header: BoxedStrategy<Line>) -> BoxedStrategy<Vec<Line>> {
    let twice = (header.clone(), property()).prop_map(|(header, property)| {
        let mut again = header.clone();
        again.features.push(SECTION_TWICE);
        vec![header, property, again]
    });
    let spellings = |name: &'static str, [one, other]: [&'static str; 2]| {
        property().prop_map(move |property| {
            let [one, other] = [one, other].map(|spelling| spelling.replace('X', name));
            vec![line(&[], one), property, line(&[TWO_SPELLINGS], other)]
        })
    };
    let defaults = vec(property(), 1..3).prop_map(|properties| {
        let mut lines = vec![line(&[DEFAULTS], "[DEFAULT]")];
        lines.extend(properties);
        lines.push(line(&[DEFAULTS, DEFAULTS_TWICE], "[DEFAULT]"));
        lines
    });
    let broken = vec![line(&[DEFAULTS], "[DEFAULT]"), line(&[EQUALS], "s3 ="), line(&[BROKEN_DEFAULTS], "  text")];
    let ended = |lines: Vec<Line>, header: Line| [lines, vec![header]].concat();
    prop_oneof![
        100 => (indentation(), header.clone()).prop_map(|(by, header)| {
            let mut features = header.features;
            features.extend((!by.is_empty()).then_some(INDENTED_HEADER));
            vec![Line { text: by + &header.text, features }]
        }),
        2 => twice,
        1 => spellings("dev", ["[profile X]", "[profile \"X\"]"]),
        1 => spellings("ops", ["[profile X ]", "[profile 'X']"]),
        1 => spellings("dev", ["[sso-session X]", "[sso-session 'X']"]),
        1 => spellings("dev", ["[default]", "[profile default]"]),
        1 => spellings("dev", ["[profile default]", "[default]"]),
        1 => spellings("dev", ["[profile X]", "[profilefoo X]"]),
        1 => defaults,
        1 => Just(broken.clone()),
        1 => header.clone().prop_map(move |header| ended(broken.clone(), header)),
        1 => one_of(["[profile dev", "[", "[a ="]).prop_map(|text| vec![line(&[OPEN_HEADER], text)]),
        1 => one_of(["[]", "[] # text", "[]="]).prop_map(|text| vec![line(&[EMPTY_HEADER], text)]),
    ]
    .boxed()
}

fn name() -> BoxedStrategy<String> {
    let plain = ["dev", "ops", "a", "team", "Dev", "x-y", "x_y", "profile", "default", "DEFAULT"];
    let odd = ["team#1", "t;m", "a@b", "a+b", "a/b", "a:b", "#x", "x=y"];
    let foreign = ["\u{e9}t\u{e9}", "\u{44f}", "a\u{a0}b", "\u{1f980}"];
    let base = prop_oneof![8 => one_of(plain), 1 => one_of(odd), 1 => one_of(foreign)];
    (base, prop_oneof![Just(String::new()), (0..40_u8).prop_map(|n| n.to_string())])
        .prop_map(|(base, number)| base.to_owned() + &number)
        .boxed()
}

fn of_name(name: &str) -> Option<&'static str> {
    match name {
        name if !name.is_ascii() => Some(NON_ASCII_NAME),
        name if name.contains(['#', ';', '@', '+', '/', ':', '=']) => Some(ODD_NAME),
        _ => None,
    }
}

fn config_header() -> impl Strategy<Value = Line> {
    prop_oneof![
        10 => formed(PROFILE, ["[profile X]"]),
        4 => formed(DEFAULT, ["[default]"]),
        2 => formed(SSO_SESSION, ["[sso-session X]", "[sso-session 'X Y']", "[sso-sessions X]"]),
        2 => formed(SERVICES, ["[services X]", "[services \"X\"]", "[services2 X]"]),
        8 => odd_header(),
    ]
}

fn credentials_header() -> impl Strategy<Value = Line> {
    prop_oneof![
        10 => formed(BARE, ["[X]"]),
        4 => formed(DEFAULT, ["[default]"]),
        1 => formed(PROFILE, ["[profile X]"]),
        1 => formed(SSO_SESSION, ["[sso-session X]"]),
        6 => odd_header(),
    ]
}

fn odd_header() -> BoxedStrategy<Line> {
    prop_oneof![
        2 => formed(DEFAULTS, ["[DEFAULT]"]),
        1 => formed(PROFILE_DEFAULT, ["[profile default]"]),
        1 => formed(PROFILE_FOO, ["[profilefoo X]", "[profiles X]", "[profile-X X]"]),
        1 => formed(BARE, ["[X]", "[X Y]", "[preview]"]),
        1 => formed(DOUBLE_QUOTES, ["[profile \"X Y\"]", "[profile \"X\"]", "[\"X\"]", "[profile\" X\" Y]", "[profile X\"Y\"]", "[profile \"X's\"]"]),
        1 => formed(SINGLE_QUOTES, ["[profile 'X Y']", "[profile 'X']", "['X Y']", "[profile 'X'' Y']", "['profile' X]"]),
        1 => formed(OPEN_QUOTE, ["[profile \"X]", "[profile 'X]", "[profile X's]", "[X's]", "[profile \"X\\\"]"]),
        1 => formed(BACKSLASH, ["[profile X\\ Y]", "[profile X\\]", "[profile \"X\\\"Y\"]", "[profile \"X\\Y\"]", "[profile \\X]", "[profile '\\X']"]),
        1 => formed(EMPTY_NAME, ["[profile \"\"]", "[profile '']", "[services '']", "[\"\"]", "['' X]"]),
        1 => formed(WORD_COUNT, ["[profile]", "[profile X Y]", "[services]", "[profilex]", "[sso-session X Y z]"]),
        1 => formed(BLANKS_INSIDE, ["[ profile X]", "[profile X ]", "[\tX ]", "[ default ]", "[ ]", "[DEFAULT ]", "[ X"] ),
        1 => formed(BLANKS_BETWEEN, ["[profile  X]", "[profile\tX]", "[profile\u{a0}X]", "[profile \u{1c}X]", "[profile\u{c}X]", "[\u{a0}profile X]"]),
        1 => formed(BRACKETS_INSIDE, ["[profile [X]]", "[profile X]]", "[[X]", "[]]", "[X] [Y]", "[profile ]X]", "[[DEFAULT]]"]),
        1 => formed(TEXT_BEHIND_HEADER, ["[profile X] Y", "[profile X]Y = z", "[X]=Y", "[profile X] \" Y", "[profile X]\u{a0}"]),
        1 => formed(COMMENT_BEHIND_HEADER, ["[profile X] # Y", "[profile X] ; Y", "[X]#Y", "[profile X] # [Y]", "[DEFAULT] # Y", "[default] ; Y"]),
    ]
    .boxed()
}

/// A header in one of these forms, with names in place of X and Y.
fn formed<const N: usize>(feature: &'static str, forms: [&'static str; N]) -> BoxedStrategy<Line> {
    (one_of(forms), name(), name())
        .prop_map(move |(form, x, y)| {
            let mut features = vec![feature];
            features.extend(form.contains('X').then(|| of_name(&x)).flatten());
            features.extend(form.contains('Y').then(|| of_name(&y)).flatten());
            Line { text: form.replace('X', &x).replace('Y', &y), features }
        })
        .boxed()
}

fn key() -> BoxedStrategy<(String, Vec<&'static str>)> {
    let plain = ["region", "role_arn", "source_profile", "aws_access_key_id", "Output", "MFA_SERIAL", "s3", "sts", "k"];
    let foreign = ["\u{43a}\u{43b}\u{44e}\u{447}", "\u{dc}n\u{ef}", "\u{3a3}\u{391}\u{3a3}", "stra\u{df}e", "\u{130}d"];
    let odd = ["two words", "a[b]", "]x", "\"k\"", "k#x", "k;x", "k.\\e", "-", "a\u{a0}b", "[x", "\u{1}"];
    let numbered = (one_of(plain), 0..40_u8).prop_map(|(base, n)| (format!("{base}{n}"), vec![]));
    prop_oneof![
        16 => numbered,
        4 => one_of(plain).prop_map(|key| (key.to_owned(), vec![])),
        1 => one_of(foreign).prop_map(|key| (key.to_owned(), vec![NON_ASCII_KEY])),
        1 => one_of(["to\u{212a}en", "\u{212a}", "s\u{212a}"]).prop_map(|key| (key.to_owned(), vec![KELVIN])),
        1 => one_of(odd).prop_map(|key| (key.to_owned(), vec![ODD_KEY])),
    ]
    .boxed()
}

fn text() -> BoxedStrategy<(&'static str, Option<&'static str>)> {
    let plain = [
        "v",
        "eu-west-1",
        "arn:aws:iam::111122223333:role/dev",
        "http://a=b",
        "a = b",
        "a : b",
        "\"v w\"",
        "'v'",
        "[x]",
        "]",
        "v#w",
        "v;w",
        "v\u{a0}w",
        "v \u{85} w",
        "v\u{2028}w",
        "\u{e9}",
        "$X",
        "%(region)s",
        "%",
        "\\",
        "= v",
        ": v",
        "v\t\tw",
    ];
    let with_comment = ["v # text", "v ; text", "v\t#text", "# text", "; text", "v \u{a0}# text", "eu-west-1 # a = b"];
    prop_oneof![
        16 => one_of(plain).prop_map(|text| (text, None)),
        4 => one_of(with_comment).prop_map(|text| (text, Some(COMMENT_BEHIND_VALUE))),
        1 => Just(("", Some(EMPTY_VALUE))),
    ]
    .boxed()
}

/// Not indented.
fn property() -> BoxedStrategy<Line> {
    let delimiter = ["=", " = ", " =", "= ", ":", " : ", ": ", "\t=\t", "\u{a0}= ", " =\u{1f}"];
    let end = prop_oneof![8 => Just(String::new()), 1 => white(1..3)];
    (key(), one_of(delimiter), text(), end)
        .prop_map(|((key, mut features), delimiter, (value, feature), end)| {
            features.push(if delimiter.contains('=') { EQUALS } else { COLON });
            features.extend(feature);
            features.extend((!end.is_empty()).then_some(TRAILING_SPACE));
            Line { text: key + delimiter + value + &end, features }
        })
        .boxed()
}

fn indented(by: &str, mut of: Line, feature: &'static str) -> Line {
    of.features.extend((!by.is_empty()).then_some(feature));
    of.text.insert_str(0, by);
    of
}

/// A few related lines of a section.
fn item() -> BoxedStrategy<Vec<Line>> {
    let continued =
        (white(0..3), property(), vec((white(1..5), continuation()), 1..4)).prop_map(|(by, property, lines)| {
            let mut all = vec![indented(&by, property, INDENTED_PROPERTY)];
            for (deeper, line) in lines {
                // A comment or a blank line may stand anywhere.
                all.push(Line { text: by.clone() + &deeper + &line.text, ..line });
            }
            all
        });
    let staircase = (white(0..3), property(), property()).prop_map(|(by, property, last)| {
        let mut all = vec![indented(&by, property, INDENTED_PROPERTY)];
        for depth in [4, 3, 2, 1] {
            all.push(line(&[CONTINUATION, STAIRCASE], by.clone() + &" ".repeat(depth) + "step"));
        }
        all.push(indented(&by, last, INDENTED_PROPERTY));
        all
    });
    let not_deeper = (white(1..4), property(), any::<bool>(), property()).prop_map(|(by, property, is_text, other)| {
        let shorter = by.chars().skip(1).collect::<String>();
        let next = if is_text { line(&[NOT_DEEPER, NO_DELIMITER], "text") } else { other };
        vec![indented(&by, property, INDENTED_PROPERTY), indented(&shorter, next, NOT_DEEPER)]
    });
    let after_header = (white(2..5), property(), property())
        .prop_map(|(by, property, next)| vec![indented(&by, property, DEEP_AFTER_HEADER), next]);
    let twice = (property(), 0..3_usize).prop_map(|(property, how)| match how {
        0 => vec![property.clone(), Line { features: vec![OPTION_TWICE], ..property }],
        1 => {
            let (upper, lower) = (property.text.to_uppercase(), property.text.to_lowercase());
            vec![Line { text: upper, ..property }, line(&[OPTION_TWICE_CASE], lower)]
        }
        _ => vec![line(&[EQUALS], "token = v"), line(&[KELVIN, OPTION_TWICE_KELVIN], "to\u{212a}en = w")],
    });
    let broken = prop_oneof![
        Just(line(&[NO_DELIMITER], "text")),
        Just(line(&[NO_DELIMITER], "export")),
        Just(line(&[EMPTY_KEY], "= v")),
        Just(line(&[EMPTY_KEY], ": v")),
        Just(line(&[EMPTY_KEY], "=")),
    ];
    prop_oneof![
        30 => (indentation(), property()).prop_map(|(by, property)| vec![indented(&by, property, INDENTED_PROPERTY)]),
        8 => vec(nothing(), 1..3),
        6 => continued,
        2 => staircase,
        1 => not_deeper,
        1 => after_header,
        6 => table(),
        1 => broken_table(),
        1 => twice,
        1 => (indentation(), broken).prop_map(|(by, broken)| vec![indented(&by, broken, NO_DELIMITER)]),
    ]
    .boxed()
}

/// Without its indentation.
fn continuation() -> BoxedStrategy<Line> {
    prop_oneof![
        4 => text().prop_map(|(text, _)| line(&[CONTINUATION], if text.is_empty() { "more" } else { text })),
        1 => Just(line(&[CONTINUATION], "more\u{a0}")),
        1 => Just(line(&[CONTINUATION, HEADER_IN_VALUE], "[profile ops]")),
        1 => property().prop_map(|of| line(&[CONTINUATION, PROPERTY_IN_VALUE], of.text)),
        1 => Just(line(&[BLANK_IN_VALUE], "")),
        1 => Just(line(&[COMMENT_IN_VALUE], "# text")),
        1 => Just(line(&[COMMENT_IN_VALUE], "; text")),
    ]
    .boxed()
}

fn table() -> BoxedStrategy<Vec<Line>> {
    let inner_key =
        one_of(["endpoint_url", "Region", "region", "addressing_style", "a b", "a:b", "", "\u{212a}", "[x]"]);
    let inner_value = one_of(["v", "http://localhost:4566", "a=b", "", "v # text", "\u{a0}v", "\"v\""]);
    let pair = (inner_key, one_of([" = ", "=", " =", "\t= "]), inner_value)
        .prop_map(|(key, equals, value)| line(&[TABLE], format!("{key}{equals}{value}")));
    let twice = Just(line(&[TABLE, TABLE_TWICE], "region = w"));
    let empty_twice = Just(line(&[TABLE, TABLE_TWICE], "region ="));
    let ends = one_of(['\u{b}', '\u{c}', '\u{1c}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}', '\u{1f}', '\u{a0}'])
        .prop_map(|end| line(&[TABLE, TABLE_LINE_END], format!("a = b{end}c = d")));
    let blank = prop_oneof![Just(""), Just("# text"), Just("; a = b")].prop_map(|text| line(&[TABLE_BLANK], text));
    let inner = prop_oneof![8 => pair, 1 => twice, 1 => empty_twice, 1 => ends, 2 => blank];
    (white(0..2), key(), one_of(["=", " =", ":", " = "]), vec((white(1..4), inner), 1..5))
        .prop_map(|(by, (key, mut features), delimiter, lines)| {
            features.push(if delimiter.contains('=') { EQUALS } else { COLON });
            let mut all = vec![indented(&by, Line { text: key + delimiter, features }, INDENTED_PROPERTY)];
            all.extend(
                lines.into_iter().map(|(deeper, line)| Line { text: by.clone() + &deeper + &line.text, ..line }),
            );
            all
        })
        .boxed()
}

fn broken_table() -> BoxedStrategy<Vec<Line>> {
    let inner = one_of(["text", "a : b", "a = b\u{85}text", "a = b\u{1f}text", "a\u{2028}= b", "[x]"]);
    let broken = (table(), white(4..6), inner, any::<bool>()).prop_map(|(mut lines, by, inner, is_first)| {
        let at = if is_first { 1 } else { lines.len() };
        lines.insert(at, line(&[BROKEN_TABLE], by + inner));
        lines
    });
    let command = vec![line(&[EQUALS], "credential_process ="), line(&[COMMAND_BELOW], "  aws-vault exec dev")];
    prop_oneof![3 => broken, 1 => Just(command)].boxed()
}
