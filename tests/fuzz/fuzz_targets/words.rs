//! The words of a `credential_process` and of headers: quoted words survive a round trip, and nothing panics.
#![no_main]

use eks_group_auth::say::words::{quoted, split};
use libfuzzer_sys::fuzz_target;

fn escaped(word: &str) -> String {
    if word.is_empty() { "\"\"".to_owned() } else { word.chars().flat_map(|c| ['\\', c]).collect() }
}

fuzz_target!(|text: &str| {
    let words = split(text);
    // On its own, every quotation mark or backslash is incomplete.
    let is_plain = !text.contains(['\'', '"', '\\']);
    match &words {
        None => assert!(!is_plain),
        Some(words) => {
            if is_plain {
                assert_eq!(words.iter().map(String::as_str).collect::<Vec<_>>(), split_plainly(text));
            }
            assert!(words.iter().map(String::len).sum::<usize>() <= text.len());
            for again in [quoted, escaped] {
                let line = words.iter().map(|word| again(word)).collect::<Vec<_>>().join(" ");
                assert_eq!(split(&line).as_ref(), Some(words), "{line}");
            }
            // Surrounding whitespace has no effect, except after a backslash, where it would be part of the word.
            assert_eq!(split(&format!(" \t{text}")).as_ref(), Some(words));
            assert_eq!(split(&format!("{text}\r\n")).as_ref(), Some(words));
        }
    }
    assert_eq!(split(&quoted(text)), Some(vec![text.to_owned()]));
});

fn split_plainly(text: &str) -> Vec<&str> {
    text.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect()
}
