//! Access tokens taken apart and put together again: signed by the stack's own key, by a stranger's,
//! or by none.

use aws_sdk_kms::{
    primitives::Blob,
    types::{MessageType, SigningAlgorithmSpec},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use serde_json::Value;
use uuid::Uuid;

use crate::stack::Stack;

/// A token's header and claims, free to be changed.
#[derive(Debug, Clone)]
pub struct Token {
    /// The JOSE header.
    pub header: Value,
    /// The claims.
    pub claims: Value,
}

impl Token {
    /// Takes an access token apart.
    pub fn read(token: &str) -> Self {
        let mut parts = token.split('.').map(|part| {
            let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url in a token");
            serde_json::from_slice(&bytes)
        });
        let mut next = || {
            parts
                .next()
                .expect("three parts in a token")
                .expect("JSON in a token")
        };
        Self {
            header: next(),
            claims: next(),
        }
    }

    /// When it stops to hold, in seconds since the Unix epoch.
    pub fn expires_at(&self) -> i64 {
        self.claims["exp"].as_i64().expect("a time")
    }

    /// Signed by the stack's token key that signs, as only its operator can.
    pub async fn signed_by(&self, stack: &Stack) -> String {
        let content = self.content();
        let output = stack
            .kms
            .sign()
            .key_id(stack.token_keys()[0])
            .message(Blob::new(content.as_bytes()))
            .message_type(MessageType::Raw)
            .signing_algorithm(SigningAlgorithmSpec::EcdsaSha256)
            .send()
            .await
            .expect("the operator may sign");
        let der = output.signature().expect("a signature").as_ref();
        let signature = Signature::from_der(der).expect("a P-256 signature");
        with_signature(&content, &signature)
    }

    /// Signed by a key of our own that the stack has never seen.
    pub fn signed_by_a_stranger(&self) -> String {
        let scalar = [*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()].concat();
        let key = SigningKey::from_slice(&scalar).expect("a random scalar is a key");
        let content = self.content();
        with_signature(&content, &key.sign(content.as_bytes()))
    }

    /// With an empty signature.
    pub fn unsigned(&self) -> String {
        format!("{}.", self.content())
    }

    /// These claims under the signature of another token.
    pub fn under_the_signature_of(&self, other: &str) -> String {
        let (_, signature) = other.rsplit_once('.').expect("three parts in a token");
        format!("{}.{signature}", self.content())
    }

    fn content(&self) -> String {
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        format!("{}.{}", encode(&self.header), encode(&self.claims))
    }
}

impl Stack {
    /// The ARNs of the keys that verify access tokens; the first one signs.
    pub fn token_keys(&self) -> Vec<&str> {
        self.setting("TOKEN_KEY_ARNS").split(',').collect()
    }
}

/// The name of a key in the header of a token and among the published keys.
pub fn key_id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn with_signature(content: &str, signature: &Signature) -> String {
    format!("{content}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}
