//! The account used by the cases in `tests/cases`, with their keys: who may assume which role, a container endpoint,
//! and the SSO portal, all at one address.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Value, json};

use super::account::binary;
use super::http::{Reply, Request};
use super::plugin::Plugin;
use super::sigv4::query_pairs;
use super::sts::{Issue, Keys, Role, Sts, rfc3339};

/// A user with an access key.
pub struct User {
    pub name: &'static str,
    pub access_key_id: &'static str,
    pub secret_access_key: &'static str,
    groups: &'static [&'static str],
}

pub const BOB: User = User {
    name: "bob",
    access_key_id: "AKIAIOSFODNN7BOBBOBB",
    secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    groups: &[GROUP],
};
pub const ALICE: User = User {
    name: "alice",
    access_key_id: "AKIAIOSFODNN7ALICE00",
    secret_access_key: "AlicesSecretKeyAlicesSecretKeyAlices0000",
    groups: &[],
};

/// The only group, and the roles its policy allows its members to assume.
pub const GROUP: &str = "eks";
const PERMITTED: [&str; 6] = ["dev.eks-access.role", "ext", "mfa", "path/to/deep", "named", "short"];

pub const WEB_IDENTITY_TOKEN: &str = "web-token-1";
const MFA_CODE: &str = "123456";

/// The definition of a role, here and in a case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// The account's root: every principal in the account whose own policy allows it. A role: its sessions. `web:…`: a
    /// web identity.
    trust: Vec<String>,
    /// The roles that this role's own policy allows its sessions to assume.
    #[serde(default)]
    assume: Vec<String>,
    max_duration: Option<u64>,
    external_id: Option<String>,
    mfa_serial: Option<String>,
    session_name: Option<String>,
}

/// The ARN of a role in this account.
pub fn role_arn(path_and_name: &str) -> String {
    format!("arn:aws:iam::123456789012:role/{path_and_name}")
}

fn rules() -> Value {
    let root = "arn:aws:iam::123456789012:root";
    let dev = role_arn("dev.eks-access.role");
    json!({
        role_arn("dev.eks-access.role"): {"trust": [root]},
        role_arn("ext"): {"trust": [root], "external_id": "ext-42"},
        role_arn("mfa"): {"trust": [root], "mfa_serial": "arn:aws:iam::123456789012:mfa/bob"},
        role_arn("path/to/deep"): {"trust": [root]},
        role_arn("named"): {"trust": [root], "session_name": "^bob(@.*)?$"},
        role_arn("short"): {"trust": [root], "max_duration": 3600},
        role_arn("prod.eks-access.role"): {"trust": [root]},
        role_arn("chained"): {"trust": [dev]},
        role_arn("web"): {"trust": ["web:repo:acme"]},
        role_arn("task"): {"trust": [], "assume": [dev]},
    })
}

/// The account and its servers.
pub struct World {
    pub sts: Sts,
}

impl World {
    pub fn new() -> Self {
        Self::with_changes(&json!({}))
    }

    /// With the changes of a case: `{"roles": {ARN: rule}}`, where a rule replaces the one of the same ARN.
    pub fn with_changes(changes: &Value) -> Self {
        let mut rules = rules();
        for (kind, changed) in changes.as_object().into_iter().flatten() {
            assert_eq!(kind, "roles", "changes to anything other than roles are not supported yet");
            for (arn, rule) in changed.as_object().expect("roles by ARN") {
                rules[arn] = rule.clone();
            }
        }
        let rules: BTreeMap<String, Rule> = serde_json::from_value(rules).expect("rules as above");
        let sts = Sts::start();
        for (arn, role) in rules.iter().map(|(arn, rule)| (arn, role(arn, rule, &rules))) {
            sts.add_role_by_arn(arn, role);
            if rules[arn].trust.iter().any(|who| who.starts_with("web:")) {
                sts.trust_web_identity(WEB_IDENTITY_TOKEN, arn);
            }
        }
        for user in [&BOB, &ALICE] {
            sts.add_principal_with(&format!("arn:aws:iam::123456789012:user/{}", user.name), user.keys(), user.groups);
        }
        sts.add_mfa_code(MFA_CODE);
        sts.add_replies(beside);
        World { sts }
    }

    /// A machine with only a home directory, PATH and the URL of this STS.
    pub fn plugin(&self) -> Plugin {
        let path = std::env::var_os("PATH").unwrap_or_default();
        Plugin::new(binary(), &self.sts).env_remove("AWS_REGION").env("PATH", path)
    }

    /// Fills in the placeholders in a case's text.
    pub fn fill_in(&self, text: &str, home: &Path) -> String {
        let port = self.sts.address().port().to_string();
        text.replace("{home}", &home.display().to_string())
            .replace("{sts}", &self.sts.url())
            .replace("{stsport}", &port)
    }
}

impl User {
    pub fn keys(&self) -> Keys {
        Keys {
            access_key_id: self.access_key_id.to_owned(),
            secret_access_key: self.secret_access_key.to_owned(),
            session_token: None,
        }
    }
}

/// Determines who may actually assume the role, which requires its trust policy and, for principals trusted only
/// through the account, a policy of their own.
fn role(arn: &str, rule: &Rule, rules: &BTreeMap<String, Rule>) -> Role {
    let trusts_account = rule.trust.iter().any(|who| who.ends_with(":root"));
    let is_permitted = PERMITTED.iter().any(|name| role_arn(name) == *arn);
    let by_policy = rules.iter().filter(|(_, other)| trusts_account && other.assume.iter().any(|to| to == arn));
    let by_name = rule.trust.iter().filter(|who| who.contains(":role/"));
    Role {
        groups: if trusts_account && is_permitted { vec![GROUP.to_owned()] } else { Vec::new() },
        roles: by_name.chain(by_policy.map(|(other, _)| other)).cloned().collect(),
        external_id: rule.external_id.clone(),
        max_duration: rule.max_duration.unwrap_or(12 * 3600),
        mfa_serial: rule.mfa_serial.clone(),
        session_name: rule.session_name.as_ref().map(|name| regex::Regex::new(name).expect("a pattern")),
        ..Role::for_group(GROUP)
    }
}

/// What a container's endpoint and the SSO portal answer.
fn beside(request: &Request, issue: &Issue) -> Option<Reply> {
    match request.path() {
        "/__creds" => Some(container(issue(&role_arn("task"), "task-1"))),
        // The same, for cases that check what was sent there.
        "/__creds/named" => {
            let shown = request.header("authorization").unwrap_or("nobody");
            Some(container(issue(&role_arn("task"), &shown.replace(|c: char| !c.is_ascii_alphanumeric(), "-"))))
        }
        "/federation/credentials" => Some(portal(request, issue)),
        "/token" => Some(refreshed(request)),
        _ => None,
    }
}

/// In the formats of a container endpoint and of a credential_process, which do not conflict.
fn container((keys, expiration): (Keys, SystemTime)) -> Reply {
    let document = json!({
        "Version": 1, "AccessKeyId": keys.access_key_id, "SecretAccessKey": keys.secret_access_key,
        "Token": keys.session_token, "SessionToken": keys.session_token, "Expiration": rfc3339(expiration),
    });
    Reply::json(200, &document)
}

/// The role behind a permission set in an account.
pub fn permission_set_arn(account: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_{name}_0123456789abcdef")
}

/// GetRoleCredentials: `sso-token-1` always returns bob's credentials in his account; any other `sso-token-…` returns
/// the requested credentials, with a session name that includes the token.
fn portal(request: &Request, issue: &Issue) -> Reply {
    let asked = query_pairs(request.query());
    let asked = |name: &str| asked.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let token = request.header("x-amz-sso_bearer_token").unwrap_or_default();
    let (role_name, account) = (asked("role_name"), asked("account_id"));
    if !token.starts_with("sso-token-") {
        let error = json!({"__type": "UnauthorizedException", "message": "Session token not found or invalid"});
        return Reply::json(401, &error);
    }
    if role_name.is_empty() || account.is_empty() {
        return Reply::json(400, &json!({"__type": "InvalidRequestException", "message": "a parameter is missing"}));
    }
    let (keys, expiration) = match token {
        "sso-token-1" => issue(&permission_set_arn("123456789012", "Dev"), "bob@example.com"),
        token => issue(&permission_set_arn(account, role_name), token),
    };
    let milliseconds = expiration.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_millis() as u64;
    let credentials = json!({
        "accessKeyId": keys.access_key_id, "secretAccessKey": keys.secret_access_key,
        "sessionToken": keys.session_token, "expiration": milliseconds,
    });
    Reply::json(200, &json!({"roleCredentials": credentials}))
}

/// CreateToken: `sso-refresh-2` is exchanged for `sso-token-2`.
fn refreshed(request: &Request) -> Reply {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    match body["refreshToken"].as_str().and_then(|token| token.strip_prefix("sso-refresh-")) {
        Some(number) => {
            let token = format!("sso-token-{number}");
            Reply::json(200, &json!({"accessToken": token, "expiresIn": 3600, "tokenType": "Bearer"}))
        }
        None => Reply::json(400, &json!({"__type": "InvalidGrantException", "error": "invalid_grant"})),
    }
}
