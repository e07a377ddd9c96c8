//! Makes external text safe to show in messages: it cannot control the terminal, flood it or reveal a password.

/// External text made safe for a message: control characters are escaped, and it is cut at 200 characters.
pub fn shown(text: &str) -> String {
    shown_up_to(text, 200)
}

/// Like [`shown`], with another limit, for text whose end matters, such as AWS's reasons.
pub fn shown_up_to(text: &str, most: usize) -> String {
    // Besides control characters, invisible characters and those that change the text direction can make a message
    // misleading.
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

/// A URL from the user's configuration, without anything that could be a password or token.
pub fn redact_url(text: &str) -> String {
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
    fn external_text_is_escaped_and_limited() {
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
            assert_eq!(redact_url(url), shown);
        }
    }
}
