//! Text from outside, as it may stand in a message: it cannot control a terminal, flood it, or show a password.

/// Text from outside as it may stand in a message: control characters escaped, cut at 200 characters.
pub fn shown(text: &str) -> String {
    shown_up_to(text, 200)
}

/// The same for text whose end matters, such as AWS's reasons.
pub fn shown_up_to(text: &str, most: usize) -> String {
    // Besides control characters, those that turn a line's direction or hide in it can make a message lie.
    let is_unprintable = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut out = String::with_capacity(text.len().min(most));
    for (count, c) in text.chars().enumerate() {
        if count == most {
            out.push('…');
            break;
        }
        if is_unprintable(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// What somebody wrote as a URL, without what could be a password or a token in it.
pub fn without_secrets(text: &str) -> String {
    let text = text.split('?').next().unwrap_or_default();
    match text.rsplit_once('@') {
        Some((before, host)) => {
            let scheme = before.split_once("://").map_or(String::new(), |(scheme, _)| format!("{scheme}://"));
            format!("{scheme}…@{host}")
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_cannot_control_a_terminal_or_flood_it() {
        assert_eq!(shown("a\u{1b}[31mb\n\r\u{202e}\u{9b}"), "a\\u{1b}[31mb\\n\\r\\u{202e}\\u{9b}");
        assert_eq!(shown(&"x".repeat(5000)).chars().count(), 201);
        assert_eq!(shown("Zürich `日本`"), "Zürich `日本`");
    }

    #[test]
    fn a_password_in_a_url_is_not_shown() {
        for (url, shown) in [
            ("https://user:secret@sts.corp/x", "https://…@sts.corp/x"),
            ("user:sec@ret@sts.corp", "…@sts.corp"),
            ("http://127.0.0.1/x?token=secret", "http://127.0.0.1/x"),
            ("sts.corp", "sts.corp"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }
}
