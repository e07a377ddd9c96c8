//! The token checker, with a whole token, a URL, and the query of an otherwise valid URL.
#![no_main]

use eks_group_auth::aws::region::Region;
use eks_group_auth::kube::token::Token;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let region = Region::parse("eu-west-1").expect("a region");
    let now = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000);
    let _ = Token::from_text(text).check(&region, now);
    for url in [text.to_owned(), format!("https://sts.eu-west-1.amazonaws.com/?{text}")] {
        let _ = Token::encode(&url).check(&region, now);
    }
});
