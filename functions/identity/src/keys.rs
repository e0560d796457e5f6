//! The public halves of the keys that sign access tokens: one that signs, and while keys are rotated a
//! second one, which signed before or will next.

use aws_sdk_kms::{Client, error::SdkError, operation::get_public_key::GetPublicKeyError};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use p256::{PublicKey, elliptic_curve::sec1::ToSec1Point as _, pkcs8::DecodePublicKey as _};
use serde::Serialize;
use tokio::sync::OnceCell;

/// Why a public key can't be read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// KMS did not answer it.
    #[error("KMS did not answer the key")]
    Kms(#[source] Box<SdkError<GetPublicKeyError>>),
    /// It is no P-256 key.
    #[error("KMS answered no P-256 key")]
    NotP256,
}

/// The public halves, each read once per execution environment, when first needed.
#[derive(Debug)]
pub struct TokenKeys {
    client: Client,
    keys: Vec<TokenKey>,
}

/// One of the keys.
#[derive(Debug)]
pub struct TokenKey {
    arn: String,
    /// The point on the curve, uncompressed (SEC 1, section 2.3.3): `04`, x and y.
    point: OnceCell<Vec<u8>>,
}

/// A public key as it is published ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)).
#[derive(Debug, Serialize)]
pub struct Jwk {
    kty: &'static str,
    crv: &'static str,
    r#use: &'static str,
    alg: &'static str,
    kid: String,
    x: String,
    y: String,
}

impl TokenKeys {
    /// The public halves of the KMS keys with these ARNs, separated by commas.
    #[must_use]
    pub fn new(client: Client, arns: &str) -> Self {
        let keys = arns.split(',').map(|arn| TokenKey {
            arn: arn.to_owned(),
            point: OnceCell::const_new(),
        });
        Self {
            client,
            keys: keys.collect(),
        }
    }

    /// The key of which `kid` is the name in a token's header.
    #[must_use]
    pub fn named(&self, kid: &str) -> Option<&TokenKey> {
        self.keys.iter().find(|key| key_id(&key.arn) == kid)
    }

    /// The point on the curve that `key` is, uncompressed.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub async fn point<'k>(&self, key: &'k TokenKey) -> Result<&'k [u8], KeyError> {
        let point = key.point.get_or_try_init(|| self.fetch(&key.arn)).await?;
        Ok(point)
    }

    /// The keys as they are published.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub async fn jwks(&self) -> Result<Vec<Jwk>, KeyError> {
        let mut published = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            published.push(jwk(key_id(&key.arn), self.point(key).await?)?);
        }
        Ok(published)
    }

    async fn fetch(&self, arn: &str) -> Result<Vec<u8>, KeyError> {
        let answer = self.client.get_public_key().key_id(arn).send().await;
        let answer = answer.map_err(|error| KeyError::Kms(Box::new(error)))?;
        let der = answer.public_key.ok_or(KeyError::NotP256)?;
        let key = PublicKey::from_public_key_der(der.as_ref()).map_err(|_| KeyError::NotP256)?;
        Ok(key.to_sec1_point(false).as_bytes().to_vec())
    }
}

fn jwk(kid: &str, point: &[u8]) -> Result<Jwk, KeyError> {
    let coordinate = |range| {
        let part = point.get(range).ok_or(KeyError::NotP256)?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode(part))
    };
    Ok(Jwk {
        kty: "EC",
        crv: "P-256",
        r#use: "sig",
        alg: "ES256",
        kid: kid.to_owned(),
        x: coordinate(1..33)?,
        y: coordinate(33..65)?,
    })
}

/// The name of a KMS key in a token's header: the last part of its ARN.
#[must_use]
pub fn key_id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_named_by_the_last_part_of_its_arn() {
        assert_eq!(
            key_id("arn:aws:kms:eu-west-1:123456789012:key/1234abcd"),
            "1234abcd"
        );
    }
}
