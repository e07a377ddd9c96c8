//! The protocol between client-go and a credential plugin: `ExecInfo` in, `ExecCredential` out (k8s.io/client-go,
//! `pkg/apis/clientauthentication`).

use std::ffi::OsStr;
use std::fmt;
use std::marker::PhantomData;
use std::time::SystemTime;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::json;

use crate::kube::error::Error;
use crate::kube::token::Token;
use crate::say::text::shown;
use crate::say::time::rfc3339;

/// The exec API versions that client-go still supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiVersion {
    V1,
    V1Beta1,
}

impl ApiVersion {
    pub fn as_str(self) -> &'static str {
        match self {
            ApiVersion::V1 => "client.authentication.k8s.io/v1",
            ApiVersion::V1Beta1 => "client.authentication.k8s.io/v1beta1",
        }
    }

    fn parse(version: &str) -> Result<Self, Error> {
        match version {
            "client.authentication.k8s.io/v1" => Ok(ApiVersion::V1),
            "client.authentication.k8s.io/v1beta1" => Ok(ApiVersion::V1Beta1),
            _ => Err(Error::ExecInfo {
                why: format!("asks for apiVersion `{}`, which is neither v1 nor v1beta1", shown(version)),
            }),
        }
    }
}

/// The information in `KUBERNETES_EXEC_INFO` that matters here.
#[derive(Debug, PartialEq, Eq)]
pub struct ExecInfo {
    pub api_version: ApiVersion,
    /// Whether the variable was set: client-go always sets it, users and scripts do not.
    pub from_client_go: bool,
    /// Whether stdin is connected to the user.
    pub interactive: bool,
    /// The API server's URL, if `provideClusterInfo` is on.
    pub server: Option<String>,
    /// `region` in the cluster's `client.authentication.k8s.io/exec` extension.
    pub region: Option<String>,
}

impl ExecInfo {
    /// Parses the variable's value; unset or empty means v1beta1, as in the first version of the protocol.
    pub fn parse(value: Option<&OsStr>) -> Result<Self, Error> {
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            return Ok(ExecInfo {
                api_version: ApiVersion::V1Beta1,
                from_client_go: false,
                interactive: false,
                server: None,
                region: None,
            });
        };
        // serde_json's own message would quote the offending value, and `config` may contain secrets.
        let Object(typed): Object<RawExecCredential> =
            serde_json::from_slice(value.as_encoded_bytes()).map_err(|error| Error::ExecInfo {
                why: format!(
                    "is {}, at line {}, column {}",
                    match error.classify() {
                        serde_json::error::Category::Data =>
                            "not an ExecCredential: a field is missing, repeated or of the wrong type",
                        _ => "not JSON",
                    },
                    error.line(),
                    error.column()
                ),
            })?;
        // The .NET client sends `ExecCredentials`.
        if !matches!(typed.kind.as_str(), "ExecCredential" | "ExecCredentials") {
            return Err(Error::ExecInfo { why: format!("has kind `{}`, not `ExecCredential`", shown(&typed.kind)) });
        }
        let api_version = ApiVersion::parse(&typed.api_version)?;
        let Object(spec) = typed.spec.unwrap_or_default();
        let Object(cluster) = spec.cluster.unwrap_or_default();
        Ok(ExecInfo {
            api_version,
            from_client_go: true,
            interactive: spec.interactive.unwrap_or_default(),
            server: cluster.server,
            region: cluster.config.and_then(|Object(config)| config.region).filter(|region| !region.is_empty()),
        })
    }
}

/// A JSON object read as a `T`. By default, serde also accepts an array for a struct.
#[derive(Default)]
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

#[derive(Deserialize)]
struct RawExecCredential {
    kind: String,
    #[serde(rename = "apiVersion")]
    api_version: String,
    spec: Option<Object<Spec>>,
}

#[derive(Default, Deserialize)]
struct Spec {
    interactive: Option<bool>,
    cluster: Option<Object<Cluster>>,
}

#[derive(Default, Deserialize)]
struct Cluster {
    server: Option<String>,
    config: Option<Object<Config>>,
}

#[derive(Deserialize)]
struct Config {
    region: Option<String>,
}

/// The contents of an `ExecCredential`: a token and its expiry.
pub struct Status {
    pub token: Token,
    pub expiration: SystemTime,
}

/// Renders the response to client-go: one JSON document. `expiration` is in whole seconds, UTC.
pub fn render(api_version: ApiVersion, status: &Status) -> Result<String, Error> {
    let timestamp = rfc3339(status.expiration)
        .ok_or_else(|| Error::Internal("the expiration cannot be written as RFC 3339".into()))?;
    let document = json!({
        "kind": "ExecCredential",
        "apiVersion": api_version.as_str(),
        "spec": {},
        "status": { "expirationTimestamp": timestamp, "token": status.token.expose() },
    });
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::say::explain::Explain as _;
    use proptest::prelude::*;

    fn parse(json: &str) -> Result<ExecInfo, Error> {
        ExecInfo::parse(Some(OsStr::new(json)))
    }

    #[test]
    fn unset_and_empty_mean_v1beta1() {
        assert_eq!(ExecInfo::parse(None).unwrap().api_version, ApiVersion::V1Beta1);
        assert_eq!(parse("").unwrap().api_version, ApiVersion::V1Beta1);
    }

    #[test]
    fn client_go_input_is_parsed() {
        let info = parse(
            r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":true,
                "cluster":{"server":"https://x.gr7.eu-west-1.eks.amazonaws.com","config":{"region":"eu-west-2","other":[1,{}]}}}}"#,
        )
        .unwrap();
        assert_eq!(
            info,
            ExecInfo {
                api_version: ApiVersion::V1,
                from_client_go: true,
                interactive: true,
                server: Some("https://x.gr7.eu-west-1.eks.amazonaws.com".into()),
                region: Some("eu-west-2".into())
            }
        );
    }

    #[test]
    fn an_error_does_not_reveal_cluster_config_secrets() {
        let error = parse(r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":{"config":"MARKER"}}}"#).unwrap_err();
        assert!(!format!("{error} {error:?} {:?}", error.explain().hint).contains("MARKER"));
    }

    proptest! {
        #[test]
        fn the_parser_never_panics(text in "\\PC*") {
            let _ = parse(&text);
        }

        #[test]
        fn the_parser_never_panics_on_mutated_input(at in 0usize..100, with in any::<char>()) {
            let mut good: Vec<char> = r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}}"#.chars().collect();
            let at = at % good.len();
            good[at] = with;
            let _ = parse(&good.into_iter().collect::<String>());
        }
    }
}
