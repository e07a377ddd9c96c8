//! An STS on loopback, with users in groups, roles that groups may assume, and sessions. It verifies every signature
//! and refuses what the real STS refuses, with the same messages.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::http::{Reply, Request, Server, Tls, http_date};
use super::sigv4::{Signature, query_pairs};

pub const ACCOUNT: &str = "111122223333";

/// The credentials for calling AWS.
#[derive(Clone)]
pub struct Keys {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
}

impl Keys {
    /// As the properties of a profile.
    pub fn properties(&self) -> String {
        let Keys { access_key_id, secret_access_key, .. } = self;
        format!("aws_access_key_id = {access_key_id}\naws_secret_access_key = {secret_access_key}\n")
    }

    /// As a `credential_process` prints them.
    pub fn document(&self) -> Value {
        json!({"Version": 1, "AccessKeyId": self.access_key_id, "SecretAccessKey": self.secret_access_key})
    }
}

/// One request and how it was answered.
#[derive(Clone, Debug)]
pub struct Call {
    pub action: String,
    /// All parameters of the form or query.
    pub parameters: Vec<(String, String)>,
    pub access_key_id: String,
    /// The region it was signed for.
    pub region: String,
    pub presigned: bool,
    /// The error code, if it was refused.
    pub refused: Option<&'static str>,
}

impl Call {
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

struct Principal {
    keys: Keys,
    arn: String,
    user_id: String,
    /// For role sessions only.
    expiration: Option<SystemTime>,
    /// The role behind a session.
    role_arn: Option<String>,
    groups: Vec<String>,
}

pub struct Role {
    /// The groups whose policy allows sts:AssumeRole on it.
    pub groups: Vec<String>,
    /// Roles that may assume it.
    pub roles: Vec<String>,
    pub external_id: Option<String>,
    pub max_duration: u64,
    /// The duration of its sessions, regardless of the requested one.
    pub life: Option<Duration>,
    /// The length of its session tokens.
    pub session_token_len: usize,
    /// The MFA device whose code it requires, if any.
    pub mfa_serial: Option<String>,
    /// The allowed session names; `None` allows any.
    pub session_name: Option<regex::Regex>,
}

impl Role {
    pub fn for_group(group: &str) -> Self {
        Role {
            groups: vec![group.into()],
            roles: Vec::new(),
            external_id: None,
            max_duration: 3600,
            life: None,
            session_token_len: 400,
            mfa_serial: None,
            session_name: None,
        }
    }
}

type Override = Box<dyn Fn(&Call) -> Option<Reply> + Send>;
/// Creates a session of a role, by ARN and session name; returns its keys and expiry.
pub type Issue<'a> = dyn Fn(&str, &str) -> (Keys, SystemTime) + 'a;
type Beside = Arc<dyn Fn(&Request, &Issue) -> Option<Reply> + Send + Sync>;

#[derive(Default)]
struct State {
    principals: Vec<Principal>,
    roles: HashMap<String, Role>,
    /// Tokens of an identity provider, each with a role that trusts it.
    web_identities: HashSet<(String, String)>,
    calls: Vec<Call>,
    /// The codes of all MFA devices; each works once.
    mfa_codes: Vec<String>,
    sessions_issued: u64,
    delay: Duration,
    /// Whether all answers wait.
    held: bool,
    /// The calls that are being answered, by action, and the most that ever were.
    at_once: HashMap<String, AtOnce>,
    /// How far its clock is ahead of the machine's, in seconds.
    clock_ahead: i64,
    instead: Option<Override>,
    beside: Option<Beside>,
}

/// How many there are at the same time, and were at the most.
#[derive(Default)]
struct AtOnce {
    now: usize,
    most: usize,
}

impl State {
    fn now(&self) -> SystemTime {
        let by = Duration::from_secs(self.clock_ahead.unsigned_abs());
        if self.clock_ahead < 0 { SystemTime::now() - by } else { SystemTime::now() + by }
    }
}

pub struct Sts {
    state: Arc<Mutex<State>>,
    server: Server,
    scheme: &'static str,
}

impl Sts {
    pub fn start() -> Self {
        Self::start_on(None)
    }

    pub fn start_tls(tls: &Tls) -> Self {
        Self::start_on(Some(tls))
    }

    fn start_on(tls: Option<&Tls>) -> Self {
        let state: Arc<Mutex<State>> = Default::default();
        let shared = state.clone();
        let clock = state.clone();
        let date = move || http_date(clock.lock().expect("no handler panics").now());
        let server = Server::start_dated(tls, date, move |request| answer(&shared, request));
        Sts { state, server, scheme: if tls.is_some() { "https" } else { "http" } }
    }

    /// For `AWS_ENDPOINT_URL_STS`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.server.address)
    }

    /// Where the API server replays tokens, over plain HTTP.
    pub fn address(&self) -> std::net::SocketAddr {
        self.server.address
    }

    pub fn connections(&self) -> usize {
        self.server.connections()
    }

    /// An IAM user with an access key, in these groups.
    pub fn add_user(&self, name: &str, groups: &[&str]) -> Keys {
        self.add_principal(&format!("arn:aws:iam::{ACCOUNT}:user/{name}"), groups)
    }

    /// Any principal, with an access key.
    pub fn add_principal(&self, arn: &str, groups: &[&str]) -> Keys {
        let number = self.lock().principals.len();
        let keys = Keys {
            access_key_id: format!("AKIALOOPBACK{number:08}"),
            secret_access_key: format!("secret/of+principal/{number:020}"),
            session_token: None,
        };
        self.add_principal_with(arn, keys.clone(), groups);
        keys
    }

    /// The same, with a given access key.
    pub fn add_principal_with(&self, arn: &str, keys: Keys, groups: &[&str]) {
        let mut state = self.lock();
        let number = state.principals.len();
        state.principals.push(Principal {
            keys,
            arn: arn.to_owned(),
            user_id: format!("AIDALOOPBACK{number:08}"),
            expiration: None,
            role_arn: None,
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        });
    }

    /// Adds a role to the account, by path and name; returns its ARN.
    pub fn add_role(&self, path_and_name: &str, role: Role) -> String {
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/{path_and_name}");
        self.add_role_by_arn(&arn, role);
        arn
    }

    /// Adds a role in any account.
    pub fn add_role_by_arn(&self, arn: &str, role: Role) {
        self.lock().roles.insert(arn.to_owned(), role);
    }

    /// Allows this web identity token to assume this role.
    pub fn trust_web_identity(&self, token: &str, role_arn: &str) {
        self.lock().web_identities.insert((token.to_owned(), role_arn.to_owned()));
    }

    /// Adds a user to a group.
    pub fn add_to_group(&self, name: &str, group: &str) {
        let end = format!(":user/{name}");
        for principal in self.lock().principals.iter_mut().filter(|principal| principal.arn.ends_with(&end)) {
            principal.groups.push(group.to_owned());
        }
    }

    /// Removes a user from all groups.
    pub fn remove_from_groups(&self, name: &str) {
        let end = format!(":user/{name}");
        for principal in self.lock().principals.iter_mut().filter(|principal| principal.arn.ends_with(&end)) {
            principal.groups.clear();
        }
    }

    /// Adds a code that is valid once for every MFA device.
    pub fn add_mfa_code(&self, code: &str) {
        self.lock().mfa_codes.push(code.to_owned());
    }

    /// Delays every response.
    pub fn set_delay(&self, delay: Duration) {
        self.lock().delay = delay;
    }

    /// Lets every answer wait until [`Sts::release`].
    pub fn hold(&self) {
        self.lock().held = true;
    }

    pub fn release(&self) {
        self.lock().held = false;
    }

    /// How far its clock is ahead of the machine's, in seconds.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.lock().clock_ahead = seconds;
    }

    /// Ends all sessions of a role, as an administrator does with "revoke sessions".
    pub fn revoke_sessions(&self, role_arn: &str) {
        self.lock().principals.retain(|principal| principal.role_arn.as_deref() != Some(role_arn));
    }

    /// Its clock, for code that has to use the same time.
    pub fn clock(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static {
        let state = self.state.clone();
        move || state.lock().expect("no handler panics").now()
    }

    /// Overrides the response if `reply` returns one. The call is checked and counted first.
    pub fn override_replies(&self, reply: impl Fn(&Call) -> Option<Reply> + Send + 'static) {
        self.lock().instead = Some(Box::new(reply));
    }

    pub fn reset_replies(&self) {
        self.lock().instead = None;
    }

    /// Serves other requests at the same address: a request that `reply` answers is not an STS call.
    pub fn add_replies(&self, reply: impl Fn(&Request, &Issue) -> Option<Reply> + Send + Sync + 'static) {
        self.lock().beside = Some(Arc::new(reply));
    }

    /// Calls of this action that the plugin made (not the cluster's replays).
    pub fn count(&self, action: &str) -> usize {
        self.calls().iter().filter(|call| call.action == action && !call.presigned).count()
    }

    /// The most calls of this action that waited for their answers at the same time.
    pub fn most_at_once(&self, action: &str) -> usize {
        self.lock().at_once.get(action).map_or(0, |at_once| at_once.most)
    }

    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no handler panics")
    }
}

struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

fn refuse<T>(status: u16, code: &'static str, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { status, code, message: message.into() })
}

fn answer(state: &Mutex<State>, request: &Request) -> Reply {
    let beside = state.lock().expect("no handler panics").beside.clone();
    let issue = |role_arn: &str, session_name: &str| {
        let session = new_session(&mut state.lock().expect("no handler panics"), role_arn, session_name, 3600);
        (session.keys, session.expiration)
    };
    if let Some(reply) = beside.and_then(|beside| beside(request, &issue)) {
        return reply;
    }
    let mut guard = state.lock().expect("no handler panics");
    let signature = Signature::from_request(request);
    let presigned = request.method == "GET";
    let form = String::from_utf8_lossy(&request.body).into_owned();
    let parameters = query_pairs(if presigned { request.query() } else { &form });
    let parameter = |name: &str| parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    let mut call = Call {
        action: parameter("Action").unwrap_or_default(),
        access_key_id: signature.as_ref().map(|s| s.access_key_id.clone()).unwrap_or_default(),
        region: signature.as_ref().map(|s| s.region.clone()).unwrap_or_default(),
        parameters,
        presigned,
        refused: None,
    };
    let action = call.action.clone();
    let outcome = act(&mut guard, request, signature, &call);
    call.refused = outcome.as_ref().err().map(|refusal| refusal.code);
    let instead = guard.instead.as_ref().and_then(|instead| instead(&call));
    guard.calls.push(call);
    let at_once = guard.at_once.entry(action.clone()).or_default();
    at_once.now += 1;
    at_once.most = at_once.most.max(at_once.now);
    let delay = guard.delay;
    drop(guard);
    std::thread::sleep(delay);
    while state.lock().expect("no handler panics").held {
        std::thread::sleep(Duration::from_millis(5));
    }
    if let Some(at_once) = state.lock().expect("no handler panics").at_once.get_mut(&action) {
        at_once.now -= 1;
    }
    if let Some(reply) = instead {
        return reply;
    }
    let wants_json = request.header("accept") == Some("application/json");
    match outcome {
        Ok(Answer::Caller { arn, user_id }) if wants_json => Reply::json(
            200,
            &json!({"GetCallerIdentityResponse": {"GetCallerIdentityResult": {"Account": account_of(&arn), "Arn": arn, "UserId": user_id}, "ResponseMetadata": {"RequestId": "r"}}}),
        ),
        Ok(Answer::Caller { arn, user_id }) => Reply::xml(
            200,
            in_envelope(
                "GetCallerIdentity",
                &format!("<Arn>{arn}</Arn><UserId>{user_id}</UserId><Account>{}</Account>", account_of(&arn)),
            ),
        ),
        Ok(Answer::Session(Session { keys, arn, user_id, expiration })) => {
            Reply::xml(200, session_xml(&keys, &arn, &user_id, expiration).replace("AssumeRole", &action))
        }
        Err(Refusal { status, code, message }) if wants_json => Reply::json(
            status,
            &json!({"Error": {"Code": code, "Message": message, "Type": "Sender"}, "RequestId": "r"}),
        ),
        Err(Refusal { status, code, message }) => error_reply(status, code, &message),
    }
}

/// So many seconds from now, as AWS writes a time.
pub fn from_now(seconds: i64) -> String {
    let by = Duration::from_secs(seconds.unsigned_abs());
    rfc3339(if seconds < 0 { SystemTime::now() - by } else { SystemTime::now() + by })
}

/// An error in STS's format.
pub fn error_reply(status: u16, code: &str, message: &str) -> Reply {
    Reply::xml(
        status,
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
        ),
    )
}

/// AssumeRole's answer.
pub fn session_xml(keys: &Keys, arn: &str, user_id: &str, expiration: SystemTime) -> String {
    in_envelope(
        "AssumeRole",
        &format!(
            "<AssumedRoleUser><AssumedRoleId>{user_id}</AssumedRoleId><Arn>{arn}</Arn></AssumedRoleUser><Credentials>\
             <AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey><SessionToken>{}</SessionToken>\
             <Expiration>{}</Expiration></Credentials>",
            keys.access_key_id,
            keys.secret_access_key,
            keys.session_token.as_deref().unwrap_or_default(),
            rfc3339(expiration)
        ),
    )
}

fn in_envelope(action: &str, result: &str) -> String {
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{action}Response>"
    )
}

enum Answer {
    Caller { arn: String, user_id: String },
    Session(Session),
}

struct Session {
    keys: Keys,
    arn: String,
    user_id: String,
    expiration: SystemTime,
}

fn act(state: &mut State, request: &Request, signature: Option<Signature>, call: &Call) -> Result<Answer, Refusal> {
    if call.parameter("Version") != Some("2011-06-15") {
        return refuse(400, "InvalidAction", "Could not find operation");
    }
    if call.action == "AssumeRoleWithWebIdentity" {
        let (arn, session_name) =
            (call.parameter("RoleArn").unwrap_or_default(), call.parameter("RoleSessionName").unwrap_or_default());
        let token = call.parameter("WebIdentityToken").unwrap_or_default();
        if !state.web_identities.contains(&(token.to_owned(), arn.to_owned())) {
            return refuse(400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account");
        }
        return Ok(Answer::Session(new_session(state, arn, session_name, 3600)));
    }
    let caller = authenticate(state, request, signature)?;
    match call.action.as_str() {
        "GetCallerIdentity" => {
            let principal = &state.principals[caller];
            Ok(Answer::Caller { arn: principal.arn.clone(), user_id: principal.user_id.clone() })
        }
        "AssumeRole" => assume_role(state, caller, call),
        _ => refuse(400, "InvalidAction", "Could not find operation"),
    }
}

/// The index of the principal that signed the request.
fn authenticate(state: &State, request: &Request, signature: Option<Signature>) -> Result<usize, Refusal> {
    let Some(signature) = signature else {
        return refuse(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
    };
    let known = state.principals.iter().position(|principal| {
        let token = signature.security_token.as_deref().filter(|token| !token.is_empty());
        principal.keys.access_key_id == signature.access_key_id && principal.keys.session_token.as_deref() == token
    });
    let Some(index) = known else {
        return refuse(403, "InvalidClientTokenId", "The security token included in the request is invalid.");
    };
    let principal = &state.principals[index];
    let now = state.now();
    let Some(timestamp) = parse_timestamp(&signature.timestamp) else {
        return refuse(400, "IncompleteSignature", "Date must be in ISO-8601 'basic format'");
    };
    let scope_fits = signature.service == "sts" && signature.timestamp.starts_with(&signature.date);
    // The host of a replayed token contains its region; a custom one (loopback) does not.
    let host = request.header("host").unwrap_or_default();
    let host_fits = host.starts_with("127.0.0.1")
        || host.starts_with("localhost")
        || host.contains(&format!(".{}.", signature.region));
    let covers_host = signature.signed_headers.iter().any(|header| header == "host");
    if !scope_fits || !host_fits || !covers_host || !signature.verifies_with(&principal.keys.secret_access_key, request)
    {
        return refuse(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
        );
    }
    if principal.expiration.is_some_and(|expiration| expiration <= now) {
        return refuse(403, "ExpiredToken", "The security token included in the request is expired");
    }
    let oldest = if request.method == "GET" { 15 * 60 } else { 5 * 60 };
    let too_old = timestamp + Duration::from_secs(oldest) < now;
    let too_new = timestamp > now + Duration::from_secs(5 * 60);
    if too_old || too_new {
        return refuse(
            403,
            "SignatureDoesNotMatch",
            format!("Signature expired: {} is now earlier than the oldest allowed", signature.timestamp),
        );
    }
    Ok(index)
}

fn assume_role(state: &mut State, caller: usize, call: &Call) -> Result<Answer, Refusal> {
    let known = [
        "Action",
        "Version",
        "RoleArn",
        "RoleSessionName",
        "ExternalId",
        "DurationSeconds",
        "SourceIdentity",
        "SerialNumber",
        "TokenCode",
    ];
    if let Some((name, _)) = call.parameters.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        return refuse(400, "ValidationError", format!("{name} is not a valid parameter"));
    }
    let arn = call.parameter("RoleArn").unwrap_or_default();
    let session_name = call.parameter("RoleSessionName").unwrap_or_default();
    let name_fits = (2..=64).contains(&session_name.len())
        && session_name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b));
    if !name_fits {
        return refuse(
            400,
            "ValidationError",
            format!(
                "1 validation error detected: Value '{session_name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"
            ),
        );
    }
    let code = call.parameter("TokenCode");
    if call.parameter("SerialNumber").is_some() != code.is_some() {
        let message = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.";
        return refuse(403, "AccessDenied", message);
    }
    if code.is_some_and(|code| !state.mfa_codes.iter().any(|good| good == code)) {
        return refuse(403, "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ");
    }
    let principal = &state.principals[caller];
    let permitted = state.roles.get(arn).filter(|role| {
        let shows_code = role.mfa_serial.is_none() || role.mfa_serial.as_deref() == call.parameter("SerialNumber");
        let by_group = principal.groups.iter().any(|group| role.groups.contains(group));
        let by_role = principal.role_arn.as_ref().is_some_and(|from| role.roles.contains(from));
        let knows_id = role.external_id.is_none() || role.external_id.as_deref() == call.parameter("ExternalId");
        let may_be_called = role.session_name.as_ref().is_none_or(|pattern| pattern.is_match(session_name));
        (by_group || by_role) && knows_id && shows_code && may_be_called
    });
    let Some(role) = permitted else {
        return refuse(
            403,
            "AccessDenied",
            format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}", principal.arn),
        );
    };
    let duration: u64 = call.parameter("DurationSeconds").map_or(Ok(3600), str::parse).unwrap_or(0);
    if principal.role_arn.is_some() && duration > 3600 {
        return refuse(
            400,
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        );
    }
    if duration < 900 || duration > role.max_duration {
        return refuse(
            400,
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        );
    }
    let (arn, session_name) = (arn.to_owned(), session_name.to_owned());
    if let Some(code) = code {
        state.mfa_codes.retain(|good| good != code);
    }
    Ok(Answer::Session(new_session(state, &arn, &session_name, duration)))
}

/// The account in an ARN.
fn account_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

fn new_session(state: &mut State, arn: &str, session_name: &str, duration: u64) -> Session {
    let life = state.roles.get(arn).and_then(|role| role.life).map_or(duration, |life| life.as_secs());
    let token_len = state.roles.get(arn).map_or(400, |role| role.session_token_len);
    let number = state.sessions_issued;
    let role_name = arn.rsplit('/').next().unwrap_or_default();
    let start = format!("IQoJb3JpZ2luX2Vj/+session{number}//");
    let keys = Keys {
        access_key_id: format!("ASIALOOPBACK{number:08}"),
        secret_access_key: format!("secret/of+session/{number:022}"),
        session_token: Some(format!("{start}{}==", "x".repeat(token_len.saturating_sub(start.len() + 2)))),
    };
    // Whole seconds, as in the answer.
    let since = state.now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let expiration = UNIX_EPOCH + Duration::from_secs(since + life);
    let session_arn = format!("arn:aws:sts::{}:assumed-role/{role_name}/{session_name}", account_of(arn));
    let session = Session { keys, arn: session_arn, user_id: format!("AROALOOPBACK:{session_name}"), expiration };
    state.sessions_issued += 1;
    state.principals.push(Principal {
        keys: session.keys.clone(),
        arn: session.arn.clone(),
        user_id: session.user_id.clone(),
        expiration: Some(expiration),
        role_arn: Some(arn.to_owned()),
        groups: Vec::new(),
    });
    session
}

/// `YYYYMMDDTHHMMSSZ`, UTC.
pub fn parse_timestamp(text: &str) -> Option<SystemTime> {
    let format =
        time::format_description::parse_borrowed::<2>("[year][month][day]T[hour][minute][second]Z").expect("a format");
    time::PrimitiveDateTime::parse(text, &format).ok().map(|date| date.assume_utc().into())
}

/// `YYYY-MM-DDTHH:MM:SSZ`, from a time in whole seconds.
pub fn rfc3339(time: SystemTime) -> String {
    let format = &time::format_description::well_known::Rfc3339;
    time::OffsetDateTime::from(time).format(format).expect("a year of four digits")
}
