use crate::{Account, forget_tokens};

#[test]
fn ten_minutes_of_clock_skew_give_a_valid_token_with_a_correct_local_expiry() {
    for ahead in [-600, 600] {
        let account = Account::new();
        account.sts.set_clock_ahead(ahead);
        let cluster = account.cluster("{{SessionName}}");
        let plugin = account.alices_plugin();
        let first = plugin.role_token(&account.dev, &[]);
        assert_eq!(cluster.authenticate(&first.good_token()).as_deref(), Ok("alice"), "STS is {ahead} s ahead");
        assert!((780..=840).contains(&first.remaining().as_secs()), "STS is {ahead} s ahead: {:?}", first.remaining());
        // The next token, signed with the cached session without calling STS, is dated like the first.
        forget_tokens(&plugin);
        let asked = account.counts();
        let second = plugin.role_token(&account.dev, &[]);
        assert_eq!(cluster.authenticate(&second.good_token()).as_deref(), Ok("alice"), "STS is {ahead} s ahead");
        assert_eq!(account.counts(), asked);
    }
}

#[test]
fn a_token_never_outlives_its_session_by_the_sts_clock() {
    let account = Account::short_lived(std::time::Duration::from_secs(300));
    account.sts.set_clock_ahead(600);
    let output = account.alices_plugin().role_token(&account.dev, &[]);
    output.good_token();
    assert!((200..=240).contains(&output.remaining().as_secs()), "{:?}", output.remaining());
}
