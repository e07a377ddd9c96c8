//! Splits text into words as a POSIX shell does, without any other shell feature. The AWS CLI does the same for
//! `credential_process` and for profile names (Python's `shlex.split`).

/// `None` if a quotation mark is not closed or nothing follows a backslash.
pub fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(chars.next()?),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => match chars.next()? {
                            c @ ('"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

/// Quotes a word for a shell.
pub fn quoted(word: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b);
    if !word.is_empty() && word.bytes().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected values are the results of Python's `shlex.split`.
    #[test]
    fn words_are_split_like_in_a_shell() {
        let words = |text: &str| split(text).map(|words| words.join("|"));
        for (text, expected) in [
            ("", ""),
            ("  a \t b ", "a|b"),
            (r#"sh -c 'cat "$HOME"; x'"#, r#"sh|-c|cat "$HOME"; x"#),
            (r#"a"b c"'d e'f"#, "ab cd ef"),
            (r#"a '' b"#, "a||b"),
            (r"a\ b \'", "a b|'"),
            (r#""\a \" \\ \$""#, r#"\a " \ \$"#),
            ("a # b; $(c) | d", "a|#|b;|$(c)|||d"),
        ] {
            assert_eq!(words(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["'a", "\"a", "\"a\\", "a\\"] {
            assert_eq!(words(text), None, "{text}");
        }
    }
}
