//! A Kubernetes API server on loopback, with the authenticator of an EKS cluster: bearer tokens are checked by
//! aws-iam-authenticator's rules, in its order, and replayed at STS with this cluster's own name and the token's
//! original host. It has two pods.

use std::collections::HashMap;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use serde_json::{Value, json};

use super::http::{Reply, Request, Server, Tls, fill};
use super::sigv4::query_pairs;
use super::sts::{Sts, parse_timestamp};

/// An entry of the cluster's mapping, as in aws-auth: a role and the user its sessions are mapped to.
#[derive(Clone)]
pub struct Mapping {
    /// With its path.
    pub role_arn: String,
    /// May contain `{{SessionName}}`.
    pub username: String,
    pub groups: Vec<String>,
}

/// The outcome of an API request, for tests to check.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub status: u16,
    pub username: Option<String>,
    /// Why there was a 401.
    pub refused: Option<String>,
}

struct Shared {
    name: String,
    region: String,
    sts: SocketAddr,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    /// How many more requests with a valid token get a 401 anyway.
    refuse: AtomicUsize,
    mappings: Mutex<Vec<Mapping>>,
    seen: Mutex<Vec<Seen>>,
}

pub struct Cluster {
    shared: Arc<Shared>,
    server: Server,
    pub ca_pem: String,
}

#[derive(Clone, Debug)]
struct User {
    username: String,
    groups: Vec<String>,
}

/// The group that may list pods.
pub const VIEWERS: &str = "viewers";

impl Cluster {
    /// `sts` must use plain HTTP.
    pub fn start(name: &str, region: &str, sts: &Sts) -> Self {
        let tls = Tls::for_loopback();
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            region: region.to_owned(),
            sts: sts.address(),
            clock: Box::new(sts.clock()),
            refuse: AtomicUsize::new(0),
            mappings: Mutex::default(),
            seen: Mutex::default(),
        });
        let state = shared.clone();
        let server = Server::start(Some(&tls), move |request| serve(&state, request));
        Cluster { shared, server, ca_pem: tls.ca_pem }
    }

    /// Maps sessions of this role to `username`, who may list pods.
    pub fn map_role(&self, role_arn: &str, username: &str) {
        self.shared.mappings.lock().expect("no handler panics").push(Mapping {
            role_arn: role_arn.to_owned(),
            username: username.to_owned(),
            groups: vec![VIEWERS.to_owned()],
        });
    }

    /// Makes this many more requests fail with a 401 even though their token is valid.
    pub fn refuse(&self, requests: usize) {
        self.shared.refuse.store(requests, Ordering::SeqCst);
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.server.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    pub fn name(&self) -> &str {
        &self.shared.name
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().expect("no handler panics").clone()
    }

    /// The username for this token, or why it is refused.
    pub fn authenticate(&self, token: &str) -> Result<String, String> {
        authenticate(&self.shared, token).map(|user| user.username)
    }
}

fn serve(shared: &Shared, request: &Request) -> Reply {
    let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let user = token.ok_or_else(|| "no bearer token".to_owned()).and_then(|token| authenticate(shared, token));
    let is_refused =
        || shared.refuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
    let user = user.and_then(|user| if is_refused() { Err("refused for the test".to_owned()) } else { Ok(user) });
    let reply = match &user {
        Ok(user) => api(request, user),
        Err(_) => status(401, "Unauthorized", "Unauthorized"),
    };
    if let Reply::Response { status, .. } = &reply {
        shared.seen.lock().expect("no handler panics").push(Seen {
            path: request.path().to_owned(),
            status: *status,
            username: user.as_ref().ok().map(|user| user.username.clone()),
            refused: user.err(),
        });
    }
    reply
}

/// The identity that a token proves, and the host in it.
pub struct Proof {
    pub arn: String,
    pub host: String,
}

/// What a cluster with this name would learn from this token if every identity were mapped, whatever region the token
/// was signed for.
pub fn prove(sts: &Sts, cluster: &str, token: &str) -> Result<Proof, String> {
    let url = url_in(token)?;
    let pairs = query_pairs(url.split_once('?').map_or("", |(_, query)| query));
    let credential = pairs.iter().find(|(name, _)| name == "X-Amz-Credential").map_or("", |(_, value)| value.as_str());
    let region = credential.split('/').nth(2).unwrap_or_default();
    let (host, path_and_query) = verify(token, region, sts.clock()())?;
    let arn = replay(sts.address(), cluster, &host, &path_and_query)?;
    Ok(Proof { arn, host })
}

/// aws-iam-authenticator's `Verify`, then the mapping.
fn authenticate(shared: &Shared, token: &str) -> Result<User, String> {
    let (host, path_and_query) = verify(token, &shared.region, (shared.clock)())?;
    let caller = replay(shared.sts, &shared.name, &host, &path_and_query)?;
    let parts: Vec<&str> = caller.splitn(6, ':').collect();
    let resource: Vec<&str> = parts.get(5).copied().unwrap_or_default().split('/').collect();
    let &["assumed-role", role, session] = resource.as_slice() else {
        return Err(format!("{caller} is not mapped"));
    };
    // STS omits a role's path, so the comparison ignores the mapping's path too.
    let mappings = shared.mappings.lock().expect("no handler panics");
    let mapping = mappings.iter().find(|mapping| {
        let fields: Vec<&str> = mapping.role_arn.splitn(6, ':').collect();
        fields[4] == parts[4] && mapping.role_arn.rsplit('/').next() == Some(role)
    });
    let mapping = mapping.ok_or_else(|| format!("{caller} is not mapped"))?;
    let username =
        mapping.username.replace("{{SessionName}}", &session.replace('@', "-")).replace("{{SessionNameRaw}}", session);
    Ok(User { username, groups: mapping.groups.clone() })
}

/// Checks the token rules in the authenticator's order; returns the host, and the path with query.
fn verify(token: &str, region: &str, now: SystemTime) -> Result<(String, String), String> {
    let rule = |fits: bool, why: &str| if fits { Ok(()) } else { Err(why.to_owned()) };
    rule(token.len() < 4096, "token is too large")?;
    let url = url_in(token)?;
    let rest = url.strip_prefix("https://").ok_or("unexpected scheme")?;
    let (host, path_and_query) = rest.split_once('/').ok_or("unexpected path")?;
    rule(accepted_hosts(region).iter().any(|accepted| accepted == host), "unexpected hostname in pre-signed URL")?;
    let query = path_and_query.strip_prefix('?').ok_or("unexpected path in pre-signed URL")?;
    let pairs = query_pairs(query);
    let allowed = [
        "action",
        "version",
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-security-token",
        "x-amz-signature",
        "x-amz-signedheaders",
    ];
    let mut values = HashMap::new();
    for (name, value) in pairs {
        let name = name.to_lowercase();
        rule(allowed.contains(&name.as_str()), "non-whitelisted query parameter")?;
        rule(values.insert(name, value).is_none(), "query parameter with multiple values not supported")?;
    }
    let value = |name: &str| values.get(name).map(String::as_str).unwrap_or_default();
    rule(value("action") == "GetCallerIdentity", "unexpected action parameter in pre-signed URL")?;
    rule(!query.contains(';'), "raw semicolon in query")?;
    rule(
        value("x-amz-signedheaders").split(';').any(|header| header == "x-k8s-aws-id"),
        "client did not sign the x-k8s-aws-id header",
    )?;
    let expires: i64 =
        value("x-amz-expires").parse().map_err(|_| "invalid X-Amz-Expires parameter in pre-signed URL")?;
    rule((0..=900).contains(&expires), "invalid X-Amz-Expires parameter in pre-signed URL")?;
    let date = parse_timestamp(value("x-amz-date")).ok_or("error parsing X-Amz-Date parameter")?;
    rule(now <= date + Duration::from_secs(15 * 60), "X-Amz-Date parameter is expired")?;
    Ok((host.to_owned(), format!("/{path_and_query}")))
}

fn url_in(token: &str) -> Result<String, String> {
    let encoded = token.strip_prefix("k8s-aws-v1.").ok_or("token is missing expected \"k8s-aws-v1.\" prefix")?;
    let decoded =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(encoded).map_err(|error| error.to_string())?;
    String::from_utf8(decoded).map_err(|error| error.to_string())
}

/// The four STS hosts of a region, by the rules of its partition.
fn accepted_hosts(region: &str) -> Vec<String> {
    let (suffix, dual_stack) = match region {
        r if r.starts_with("cn-") => ("amazonaws.com.cn", Some("api.amazonwebservices.com.cn")),
        r if r.starts_with("eusc-") => ("amazonaws.eu", Some("api.amazonwebservices.eu")),
        r if r.starts_with("us-iso-") => ("c2s.ic.gov", None),
        r if r.starts_with("us-isob-") => ("sc2s.sgov.gov", None),
        r if r.starts_with("eu-isoe-") => ("cloud.adc-e.uk", None),
        r if r.starts_with("us-isof-") => ("csp.hci.ic.gov", None),
        _ => ("amazonaws.com", Some("api.aws")),
    };
    let mut hosts = vec![format!("sts.{region}.{suffix}")];
    if !region.starts_with("us-gov-") {
        hosts.push(format!("sts-fips.{region}.{suffix}"));
    }
    if let Some(dual_stack) = dual_stack {
        hosts.push(format!("sts.{region}.{dual_stack}"));
        hosts.push(format!("sts-fips.{region}.{dual_stack}"));
    }
    hosts
}

/// Calls STS as the server does, with its own name in the signed header. Returns the caller's ARN.
fn replay(sts: SocketAddr, cluster: &str, host: &str, path_and_query: &str) -> Result<String, String> {
    let request = format!(
        "GET {path_and_query} HTTP/1.1\r\nHost: {host}\r\nx-k8s-aws-id: {cluster}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    );
    let mut stream = TcpStream::connect(sts).map_err(|error| error.to_string())?;
    // The loopback STS keeps connections open, but only one response is needed here.
    stream.set_read_timeout(Some(Duration::from_secs(20))).map_err(|error| error.to_string())?;
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    let body = loop {
        let len = fill(&mut stream, &mut answer).map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((_, body)) = text.split_once("\r\n\r\n")
            && let Ok(body) = serde_json::from_str::<Value>(body)
        {
            break body;
        }
        if len == 0 {
            return Err(format!("STS gave no JSON: {text}"));
        }
    };
    let arn = body.pointer("/GetCallerIdentityResponse/GetCallerIdentityResult/Arn").and_then(Value::as_str);
    arn.map(str::to_owned).ok_or_else(|| format!("error from AWS: {}", body["Error"]))
}

fn api(request: &Request, user: &User) -> Reply {
    match (request.method.as_str(), request.path()) {
        ("GET", "/version") => Reply::json(200, &json!({"major": "1", "minor": "33", "gitVersion": "v1.33.0"})),
        ("GET", "/api") => Reply::json(200, &json!({"kind": "APIVersions", "versions": ["v1"]})),
        ("GET", "/apis") => Reply::json(
            200,
            &json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [{
                "name": "authentication.k8s.io",
                "versions": [{"groupVersion": "authentication.k8s.io/v1", "version": "v1"}],
                "preferredVersion": {"groupVersion": "authentication.k8s.io/v1", "version": "v1"},
            }]}),
        ),
        ("GET", "/api/v1") => resource_list(
            "v1",
            json!({"name": "pods", "singularName": "pod", "namespaced": true, "kind": "Pod", "verbs": ["get", "list", "create", "patch"], "shortNames": ["po"]}),
        ),
        ("GET", "/apis/authentication.k8s.io/v1") => resource_list(
            "authentication.k8s.io/v1",
            json!({"name": "selfsubjectreviews", "singularName": "selfsubjectreview", "namespaced": false, "kind": "SelfSubjectReview", "verbs": ["create"]}),
        ),
        // kubectl 1.27 still uses the first version.
        (
            "POST",
            path @ ("/apis/authentication.k8s.io/v1/selfsubjectreviews"
            | "/apis/authentication.k8s.io/v1beta1/selfsubjectreviews"
            | "/apis/authentication.k8s.io/v1alpha1/selfsubjectreviews"),
        ) => {
            let version = path.split('/').nth(3).unwrap_or_default();
            Reply::json(
                201,
                &json!({"kind": "SelfSubjectReview", "apiVersion": format!("authentication.k8s.io/{version}"), "metadata": {},
                    "status": {"userInfo": {"username": user.username, "groups": user.groups}}}),
            )
        }
        ("GET", "/api/v1/namespaces/default/pods") if !user.groups.iter().any(|group| group == VIEWERS) => status(
            403,
            "Forbidden",
            &format!("pods is forbidden: User \"{}\" cannot list resource \"pods\"", user.username),
        ),
        ("GET", "/api/v1/namespaces/default/pods") => pods(),
        // Created objects are accepted and discarded.
        ("POST", "/api/v1/namespaces/default/pods") => {
            Reply::Response { status: 201, content_type: "application/json", body: request.body.clone() }
        }
        _ => status(404, "NotFound", "the server could not find the requested resource"),
    }
}

fn resource_list(group_version: &str, resource: Value) -> Reply {
    Reply::json(
        200,
        &json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": [resource]}),
    )
}

/// As a Table, kubectl's preferred format.
fn pods() -> Reply {
    let column =
        |name: &str, kind: &str| json!({"name": name, "type": kind, "format": "", "description": "", "priority": 0});
    let row = |name: &str| {
        json!({"cells": [name, "1/1", "Running", 0, "3d"],
            "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": name, "namespace": "default"}}})
    };
    Reply::json(
        200,
        &json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": "1"},
            "columnDefinitions": [column("Name", "string"), column("Ready", "string"), column("Status", "string"), column("Restarts", "integer"), column("Age", "string")],
            "rows": [row("web-0"), row("web-1")]}),
    )
}

fn status(code: u16, reason: &str, message: &str) -> Reply {
    Reply::json(
        code,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code}),
    )
}
