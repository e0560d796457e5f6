//! Access tokens: JWTs ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)) signed with ES256 by a KMS
//! key that never leaves KMS, verified locally with its public half.

use aws_sdk_kms::{
    Client,
    error::SdkError,
    operation::{get_public_key::GetPublicKeyError, sign::SignError},
    primitives::Blob,
    types::{MessageType, SigningAlgorithmSpec},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, Header, Validation, decode, decode_header, errors::ErrorKind,
};
use oxcart_domain::{CustomerId, Timestamp, user::Role};
use p256::{
    PublicKey, ecdsa::Signature, elliptic_curve::sec1::ToSec1Point as _,
    pkcs8::DecodePublicKey as _,
};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// How long an access token is good for, in seconds.
pub const LIFETIME: i64 = 15 * 60;

/// Whom our tokens are for: this API.
const AUDIENCE: &str = "oxcart";

/// Who issues our tokens: the API's address.
#[derive(Debug, Clone)]
pub struct TokenIssuer(String);

impl TokenIssuer {
    /// The issuer at this address.
    #[must_use]
    pub const fn new(address: String) -> Self {
        Self(address)
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.0
    }
}

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    /// The user.
    pub sub: CustomerId,
    /// What they may do.
    pub role: Role,
    iat: i64,
    exp: i64,
    jti: Uuid,
}

/// Why no token was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignTokenError {
    /// KMS did not sign.
    #[error("KMS did not sign the token")]
    Kms(#[source] Box<SdkError<SignError>>),
    /// KMS answered something that is no signature.
    #[error("KMS answered no signature")]
    NoSignature,
    /// The claims can't be written.
    #[error("the token's claims can't be written")]
    Unwritable(#[from] serde_json::Error),
}

/// What signs access tokens.
#[derive(Debug)]
pub struct TokenSigner {
    client: Client,
    key: String,
    issuer: TokenIssuer,
}

impl TokenSigner {
    /// Signs as `issuer` with the KMS key of ARN `key`.
    #[must_use]
    pub const fn new(client: Client, key: String, issuer: TokenIssuer) -> Self {
        Self {
            client,
            key,
            issuer,
        }
    }

    /// An access token for `user`, good from `now` on.
    ///
    /// # Errors
    /// See [`SignTokenError`].
    pub async fn sign(
        &self,
        user: CustomerId,
        role: Role,
        now: Timestamp,
    ) -> Result<String, SignTokenError> {
        let iat = now.unix_seconds();
        let claims = Claims {
            iss: self.issuer.0.clone(),
            aud: AUDIENCE.to_owned(),
            sub: user,
            role,
            iat,
            exp: iat.saturating_add(LIFETIME),
            jti: Uuid::new_v4(),
        };
        let header = Header {
            kid: Some(key_id(&self.key).to_owned()),
            ..Header::new(Algorithm::ES256)
        };
        let message = format!("{}.{}", part(&header)?, part(&claims)?);
        let signed = self
            .client
            .sign()
            .key_id(&self.key)
            .message(Blob::new(message.clone()))
            .message_type(MessageType::Raw)
            .signing_algorithm(SigningAlgorithmSpec::EcdsaSha256)
            .send()
            .await
            .map_err(|error| SignTokenError::Kms(Box::new(error)))?;
        // KMS answers ASN.1 DER; a JWT carries the two numbers one after the other (RFC 7518, section 3.4).
        let signature = signed.signature.ok_or(SignTokenError::NoSignature)?;
        let signature =
            Signature::from_der(signature.as_ref()).map_err(|_| SignTokenError::NoSignature)?;
        Ok(format!(
            "{message}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes())
        ))
    }
}

fn part(value: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(value)?))
}

/// The name of a KMS key in a token's header: the last part of its ARN.
fn key_id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Why a token is no good, in words for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// It is no JWT of ours.
    #[error("The access token is not valid.")]
    Invalid,
    /// It was good once.
    #[error("The access token has expired.")]
    Expired,
}

/// Why a token could not be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It is no good.
    #[error(transparent)]
    Refused(#[from] TokenRefused),
    /// The key is not at hand.
    #[error("the public key can't be read")]
    Key(#[from] KeyError),
}

/// Why the public key can't be read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// KMS did not answer it.
    #[error("KMS did not answer the key")]
    Kms(#[source] Box<SdkError<GetPublicKeyError>>),
    /// It is no P-256 key.
    #[error("KMS answered no P-256 key")]
    NotP256,
}

/// The public half of the key that signs, read once per execution environment, when first needed.
#[derive(Debug)]
pub struct TokenKey {
    client: Client,
    arn: String,
    /// The point on the curve, uncompressed (SEC 1, section 2.3.3): `04`, x and y.
    point: OnceCell<Vec<u8>>,
}

impl TokenKey {
    /// The public half of the KMS key `arn`.
    #[must_use]
    pub const fn new(client: Client, arn: String) -> Self {
        Self {
            client,
            arn,
            point: OnceCell::const_new(),
        }
    }

    async fn point(&self) -> Result<&[u8], KeyError> {
        self.point
            .get_or_try_init(|| self.fetch())
            .await
            .map(Vec::as_slice)
    }

    async fn fetch(&self) -> Result<Vec<u8>, KeyError> {
        let answer = self.client.get_public_key().key_id(&self.arn).send().await;
        let answer = answer.map_err(|error| KeyError::Kms(Box::new(error)))?;
        let der = answer.public_key.ok_or(KeyError::NotP256)?;
        let key = PublicKey::from_public_key_der(der.as_ref()).map_err(|_| KeyError::NotP256)?;
        Ok(key.to_sec1_point(false).as_bytes().to_vec())
    }
}

/// What others verify access tokens with.
#[derive(Debug)]
pub struct PublishedKeys {
    key: TokenKey,
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

impl PublishedKeys {
    /// Publishes `key`.
    #[must_use]
    pub const fn new(key: TokenKey) -> Self {
        Self { key }
    }

    /// The keys.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub async fn jwks(&self) -> Result<Vec<Jwk>, KeyError> {
        let point = self.key.point().await?;
        let coordinate = |range| {
            point
                .get(range)
                .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part))
        };
        Ok(vec![Jwk {
            kty: "EC",
            crv: "P-256",
            r#use: "sig",
            alg: "ES256",
            kid: key_id(&self.key.arn).to_owned(),
            x: coordinate(1..33).ok_or(KeyError::NotP256)?,
            y: coordinate(33..65).ok_or(KeyError::NotP256)?,
        }])
    }
}

/// What verifies access tokens. Garbage is refused without the key.
pub struct TokenVerifier {
    key: TokenKey,
    validation: Validation,
}

impl TokenVerifier {
    /// Verifies what `key` has signed for `issuer`.
    #[must_use]
    pub fn new(key: TokenKey, issuer: &TokenIssuer) -> Self {
        Self {
            key,
            validation: validation(issuer),
        }
    }

    /// The claims of a token that is good now.
    ///
    /// # Errors
    /// See [`VerifyError`].
    pub async fn verify(&self, token: &str) -> Result<Claims, VerifyError> {
        let header = decode_header(token).map_err(|_| TokenRefused::Invalid)?;
        if header.alg != Algorithm::ES256 || header.kid.as_deref() != Some(key_id(&self.key.arn)) {
            return Err(TokenRefused::Invalid.into());
        }
        let key = DecodingKey::from_ec_der(self.key.point().await?);
        Ok(verified(token, &key, &self.validation)?)
    }
}

/// ES256 and nothing else; every claim that we write must be there and right. No leeway: signer and
/// verifier take the time from the same cloud.
fn validation(issuer: &TokenIssuer) -> Validation {
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[&issuer.0]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    validation.leeway = 0;
    validation
}

fn verified(
    token: &str,
    key: &DecodingKey,
    validation: &Validation,
) -> Result<Claims, TokenRefused> {
    decode::<Claims>(token, key, validation)
        .map(|token| token.claims)
        .map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => TokenRefused::Expired,
            _ => TokenRefused::Invalid,
        })
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::{SigningKey, signature::Signer as _};
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 4_000_000_000;

    fn issuer() -> TokenIssuer {
        TokenIssuer::new("https://shop.example".to_owned())
    }

    fn signing_key() -> SigningKey {
        SigningKey::from_slice(&[7; 32]).unwrap()
    }

    fn decoding_key() -> DecodingKey {
        DecodingKey::from_ec_der(
            signing_key()
                .verifying_key()
                .to_sec1_point(false)
                .as_bytes(),
        )
    }

    fn claims() -> Value {
        json!({
            "iss": "https://shop.example", "aud": "oxcart", "sub": Uuid::from_u128(1), "role": "customer",
            "iat": NOW, "exp": NOW + LIFETIME, "jti": Uuid::from_u128(2),
        })
    }

    fn signed(header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", part(header).unwrap(), part(claims).unwrap());
        let signature: Signature = signing_key().sign(message.as_bytes());
        format!(
            "{message}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes())
        )
    }

    fn verify(token: &str) -> Result<Claims, TokenRefused> {
        verified(token, &decoding_key(), &validation(&issuer()))
    }

    fn es256() -> Value {
        json!({ "alg": "ES256", "typ": "JWT" })
    }

    #[test]
    fn a_token_of_ours_is_good() {
        assert_eq!(
            verify(&signed(&es256(), &claims())).unwrap().sub,
            CustomerId::new(Uuid::from_u128(1))
        );
    }

    #[test]
    fn a_token_with_a_wrong_or_missing_claim_is_refused() {
        for (claim, value) in [
            ("iss", json!("https://evil.example")),
            ("aud", json!("another")),
            ("sub", json!("ada")),
            ("role", json!("root")),
            ("iss", Value::Null),
            ("aud", Value::Null),
            ("sub", Value::Null),
            ("role", Value::Null),
            ("exp", Value::Null),
        ] {
            let mut claims = claims();
            match &value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(claim)),
                value => claims[claim] = value.clone(),
            }
            assert_eq!(
                verify(&signed(&es256(), &claims)),
                Err(TokenRefused::Invalid),
                "{claim}: {value}"
            );
        }
    }

    #[test]
    fn an_expired_token_is_told_apart() {
        let mut claims = claims();
        claims["exp"] = json!(1_000_000_000);
        assert_eq!(
            verify(&signed(&es256(), &claims)),
            Err(TokenRefused::Expired)
        );
    }

    #[test]
    fn only_es256_is_accepted() {
        for alg in ["none", "HS256", "ES384", "RS256"] {
            assert_eq!(
                verify(&signed(&json!({ "alg": alg }), &claims())),
                Err(TokenRefused::Invalid),
                "{alg}"
            );
        }
    }

    #[test]
    fn a_changed_token_is_refused() {
        let token = signed(&es256(), &claims());
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (header, _) = message.split_once('.').unwrap();
        let mut admin = claims();
        admin["role"] = json!("admin");

        assert!(verify(&format!("{header}.{}.{signature}", part(&admin).unwrap())).is_err());
        assert!(verify(&format!("{message}.")).is_err());
        assert!(verify("garbage").is_err());
    }

    #[test]
    fn a_key_is_named_by_the_last_part_of_its_arn() {
        assert_eq!(
            key_id("arn:aws:kms:eu-west-1:123456789012:key/1234abcd"),
            "1234abcd"
        );
    }
}
