//! A profile of IAM Identity Center, and its portal's answer.

use serde_json::json;

use super::http::Reply;
use super::sts::Keys;

/// What a profile has to say of its session.
pub const PROPERTIES: &str = "sso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Dev\n";
/// The session.
pub const SESSION: &str =
    "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n";

/// SHA-1 of "corp".
pub const TOKEN_FILE: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

/// A config file whose default profile is of that session.
pub fn config() -> String {
    format!("[default]\n{PROPERTIES}{SESSION}")
}

/// GetRoleCredentials.
pub fn role_credentials(keys: &Keys) -> Reply {
    let Keys { access_key_id, secret_access_key, .. } = keys;
    let credentials = json!({"accessKeyId": access_key_id, "secretAccessKey": secret_access_key, "sessionToken": "",
        "expiration": 4_000_000_000_000_u64});
    Reply::json(200, &json!({"roleCredentials": credentials}))
}
