//! Every environment variable this program knows, each defined once. Names that AWS's own tools read have the same
//! meaning here.

/// The prefix of AWS's variables; an unknown one may select an identity.
pub const AWS_PREFIX: &str = "AWS_";
/// The prefix of this program's own variables.
pub const OWN_PREFIX: &str = "EKS_GROUP_AUTH_";
/// The prefix of aws-iam-authenticator's variables.
pub const AUTHENTICATOR_PREFIX: &str = "KUBERNETES_AWS_AUTHENTICATOR_";

/// What to cache on disk: `all`, `token` or `off`; the same as `--cache`.
pub const EKS_GROUP_AUTH_CACHE: &str = "EKS_GROUP_AUTH_CACHE";
/// The cache directory.
pub const EKS_GROUP_AUTH_CACHE_DIR: &str = "EKS_GROUP_AUTH_CACHE_DIR";
/// The cluster, if no argument names it; defined by aws-iam-authenticator.
pub const KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID: &str = "KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID";
/// Information from client-go for a credential plugin: an `ExecCredential` in JSON.
pub const KUBERNETES_EXEC_INFO: &str = "KUBERNETES_EXEC_INFO";

/// The profile in use.
pub const AWS_PROFILE: &str = "AWS_PROFILE";
/// Also the profile in use; version 1 of the AWS CLI prefers this one.
pub const AWS_DEFAULT_PROFILE: &str = "AWS_DEFAULT_PROFILE";
/// The config file, in place of `~/.aws/config`.
pub const AWS_CONFIG_FILE: &str = "AWS_CONFIG_FILE";
/// The credentials file, in place of `~/.aws/credentials`.
pub const AWS_SHARED_CREDENTIALS_FILE: &str = "AWS_SHARED_CREDENTIALS_FILE";
/// Where `aws login` keeps its sessions, in place of `~/.aws/login/cache`.
pub const AWS_LOGIN_CACHE_DIRECTORY: &str = "AWS_LOGIN_CACHE_DIRECTORY";

/// An access key's id.
pub const AWS_ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// Its secret.
pub const AWS_SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
/// The session token.
pub const AWS_SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
/// The old name of the session token, which takes precedence even if it is empty.
pub const AWS_SECURITY_TOKEN: &str = "AWS_SECURITY_TOKEN";
/// When the keys expire, according to the tool that set them.
pub const AWS_CREDENTIAL_EXPIRATION: &str = "AWS_CREDENTIAL_EXPIRATION";

/// The file with the web identity token.
pub const AWS_WEB_IDENTITY_TOKEN_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
/// The role to assume with it.
pub const AWS_ROLE_ARN: &str = "AWS_ROLE_ARN";
/// The name of the role's session.
pub const AWS_ROLE_SESSION_NAME: &str = "AWS_ROLE_SESSION_NAME";

/// The path of a container's credentials, on ECS.
pub const AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
/// The URL of a container's credentials, outside ECS.
pub const AWS_CONTAINER_CREDENTIALS_FULL_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
/// The value of the `Authorization` header.
pub const AWS_CONTAINER_AUTHORIZATION_TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
/// The file to read that value from; takes precedence.
pub const AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// `true`: do not use the EC2 metadata service.
pub const AWS_EC2_METADATA_DISABLED: &str = "AWS_EC2_METADATA_DISABLED";
/// The address of the EC2 metadata service.
pub const AWS_EC2_METADATA_SERVICE_ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
/// `IPv6`: use its IPv6 address.
pub const AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";

/// The region.
pub const AWS_REGION: &str = "AWS_REGION";
/// The region, if `AWS_REGION` is not set.
pub const AWS_DEFAULT_REGION: &str = "AWS_DEFAULT_REGION";
/// `true`: use FIPS endpoints.
pub const AWS_USE_FIPS_ENDPOINT: &str = "AWS_USE_FIPS_ENDPOINT";
/// `true`: use dual-stack (IPv4 and IPv6) endpoints.
pub const AWS_USE_DUALSTACK_ENDPOINT: &str = "AWS_USE_DUALSTACK_ENDPOINT";
/// The endpoint of every service.
pub const AWS_ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";
/// The endpoint of STS.
pub const AWS_ENDPOINT_URL_STS: &str = "AWS_ENDPOINT_URL_STS";
/// The endpoint of the SSO portal.
pub const AWS_ENDPOINT_URL_SSO: &str = "AWS_ENDPOINT_URL_SSO";
/// The endpoint of the service that refreshes SSO tokens.
pub const AWS_ENDPOINT_URL_SSO_OIDC: &str = "AWS_ENDPOINT_URL_SSO_OIDC";
/// `true`: ignore all of these endpoints.
pub const AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
/// Certificate authorities to trust instead of the system's.
pub const AWS_CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// Proxies, by URL scheme.
pub const PROXIES: [&str; 6] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
/// Hosts to contact without a proxy.
pub const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];
/// Other locations of the system's certificate authorities.
pub const SYSTEM_CERTIFICATES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The user's home directory.
pub const HOME: &str = "HOME";
/// Where programs are searched for.
pub const PATH: &str = "PATH";
/// The user's cache directory.
pub const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";
/// A directory that lives as long as the user's login.
pub const XDG_RUNTIME_DIR: &str = "XDG_RUNTIME_DIR";
/// The working directory, as set by the shell.
pub const PWD: &str = "PWD";
/// The previous working directory.
pub const OLDPWD: &str = "OLDPWD";

/// Variables that differ from call to call without identifying the user, although a `credential_process` sees them. (If
/// the working directory matters, it is hashed separately.)
pub const VOLATILE: [&str; 5] = [KUBERNETES_EXEC_INFO, "_", "SHLVL", PWD, OLDPWD];

/// AWS variables that never select an identity: they control output, retries, timeouts and the kind of endpoint. The
/// README has the same list. All others are part of the fingerprint. The region and the kind of endpoint are part of
/// the cache keys anyway.
pub const NON_IDENTIFYING: [&str; 38] = [
    "AWS_ACCOUNT_ID_ENDPOINT_MODE",
    "AWS_AUTH_SCHEME_PREFERENCE",
    AWS_CA_BUNDLE,
    "AWS_CLI_AUTO_PROMPT",
    "AWS_CLI_BINARY_FORMAT",
    "AWS_CLI_ERROR_FORMAT",
    "AWS_CLI_FILE_ENCODING",
    "AWS_CLI_HISTORY_FILE",
    "AWS_CLI_OUTPUT_ENCODING",
    "AWS_CLI_S3_MV_VALIDATE_SAME_S3_PATHS",
    "AWS_CLI_UPGRADE_DEBUG_MODE",
    "AWS_DEFAULTS_MODE",
    "AWS_DEFAULT_OUTPUT",
    AWS_DEFAULT_REGION,
    "AWS_DISABLE_REQUEST_COMPRESSION",
    "AWS_EXECUTION_ENV",
    "AWS_MAX_ATTEMPTS",
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
    "AWS_METADATA_SERVICE_TIMEOUT",
    "AWS_OUTPUT",
    "AWS_PAGER",
    "AWS_PARTIAL_PAYLOAD_SIGNING_ENABLED",
    AWS_REGION,
    "AWS_REQUEST_CHECKSUM_CALCULATION",
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
    "AWS_RESPONSE_CHECKSUM_VALIDATION",
    "AWS_RETRY_MODE",
    "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH",
    "AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS",
    "AWS_S3_USE_ARN_REGION",
    "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT",
    "AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE",
    "AWS_SDK_LOAD_CONFIG",
    "AWS_SDK_UA_APP_ID",
    "AWS_SIGV4A_SIGNING_REGION_SET",
    "AWS_STS_REGIONAL_ENDPOINTS",
    AWS_USE_DUALSTACK_ENDPOINT,
    AWS_USE_FIPS_ENDPOINT,
];
