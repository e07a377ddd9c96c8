//! Signature Version 4 verification, written from the AWS documentation.

use sha2::{Digest, Sha256};

use super::http::Request;

/// The signature in a request.
#[derive(Clone, Debug)]
pub struct Signature {
    pub access_key_id: String,
    pub date: String,
    pub region: String,
    pub service: String,
    /// `YYYYMMDDTHHMMSSZ`
    pub timestamp: String,
    pub signed_headers: Vec<String>,
    pub security_token: Option<String>,
    presigned: bool,
    signature: String,
}

impl Signature {
    /// From the Authorization header, or the query of a presigned URL.
    pub fn from_request(request: &Request) -> Option<Self> {
        let from_query = query_pairs(request.query());
        let in_query = |name: &str| from_query.iter().find(|(k, _)| k == name).map(|(_, value)| value.clone());
        let (presigned, credential, signed_headers, signature, timestamp, security_token) =
            if let Some(authorization) = request.header("authorization") {
                let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
                let field = |name: &str| {
                    fields
                        .split(',')
                        .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
                        .map(str::to_owned)
                };
                let header = |name: &str| request.header(name).map(str::to_owned);
                (
                    false,
                    field("Credential")?,
                    field("SignedHeaders")?,
                    field("Signature")?,
                    header("x-amz-date")?,
                    header("x-amz-security-token"),
                )
            } else {
                if in_query("X-Amz-Algorithm")? != "AWS4-HMAC-SHA256" {
                    return None;
                }
                (
                    true,
                    in_query("X-Amz-Credential")?,
                    in_query("X-Amz-SignedHeaders")?,
                    in_query("X-Amz-Signature")?,
                    in_query("X-Amz-Date")?,
                    in_query("X-Amz-Security-Token"),
                )
            };
        let scope: Vec<&str> = credential.split('/').collect();
        let &[access_key_id, date, region, service, "aws4_request"] = scope.as_slice() else { return None };
        Some(Signature {
            access_key_id: access_key_id.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            timestamp,
            signed_headers: signed_headers.split(';').map(str::to_owned).collect(),
            security_token,
            presigned,
            signature,
        })
    }

    pub fn verifies_with(&self, secret_access_key: &str, request: &Request) -> bool {
        let mut query = query_pairs(request.query());
        query.retain(|(name, _)| name != "X-Amz-Signature");
        let mut encoded: Vec<(String, String)> = query.iter().map(|(k, v)| (encode(k), encode(v))).collect();
        encoded.sort();
        let query: Vec<String> = encoded.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let headers: String = self
            .signed_headers
            .iter()
            .map(|name| format!("{name}:{}\n", request.header(name).unwrap_or_default().trim()))
            .collect();
        // A presigned request has no body to hash, but whatever is sent is hashed anyway.
        let body = if self.presigned { &[][..] } else { &request.body };
        let canonical = format!(
            "{}\n{}\n{}\n{headers}\n{}\n{}",
            request.method,
            request.path(),
            query.join("&"),
            self.signed_headers.join(";"),
            hex(&Sha256::digest(body)),
        );
        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let to_sign =
            format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", self.timestamp, hex(&Sha256::digest(canonical.as_bytes())));
        let key = [&self.date, &self.region, &self.service, "aws4_request"]
            .iter()
            .fold(format!("AWS4{secret_access_key}").into_bytes(), |key, part| hmac(&key, part.as_bytes()).to_vec());
        hex(&hmac(&key, to_sign.as_bytes())) == self.signature
    }
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|b| b ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|b| b ^ 0x5c)).chain_update(inner).finalize().into()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Decoded names and values, in order.
pub fn query_pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(k, v)| (decode(k), decode(v))).collect()
}

fn decode(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits = [bytes.next().unwrap_or(b'?'), bytes.next().unwrap_or(b'?')];
                let digits = std::str::from_utf8(&digits).unwrap_or("??");
                out.push(u8::from_str_radix(digits, 16).unwrap_or(b'?'));
            }
            b'+' => out.push(b' '),
            byte => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// RFC 3986 with upper-case digits, as required for signatures.
fn encode(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if plain(b) { (b as char).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    /// RFC 4231, test case 2: an independent check of the verifier.
    #[test]
    fn the_hmac_matches_rfc_4231() {
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(super::hex(&super::hmac(b"Jefe", b"what do ya want for nothing?")), expected);
    }
}
