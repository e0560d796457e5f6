//! Access tokens: JWTs ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)) signed with ES256 by a KMS
//! key that never leaves KMS, verified locally with its public half.

use aws_sdk_kms::{
    Client,
    error::SdkError,
    operation::sign::SignError,
    primitives::Blob,
    types::{MessageType, SigningAlgorithmSpec},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, Header, Validation, decode, decode_header, errors::ErrorKind,
};
use oxcart_domain::{CustomerId, Timestamp, user::Role};
use oxcart_lambda::clock;
use p256::ecdsa::Signature;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::keys::{KeyError, TokenKeys, key_id};

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

/// What verifies access tokens. Garbage is refused without a key.
pub struct TokenVerifier {
    keys: TokenKeys,
    validation: Validation,
}

impl TokenVerifier {
    /// Verifies what one of `keys` has signed for `issuer`.
    #[must_use]
    pub fn new(keys: TokenKeys, issuer: &TokenIssuer) -> Self {
        Self {
            keys,
            validation: validation(issuer),
        }
    }

    /// The claims of a token that is good now.
    ///
    /// # Errors
    /// See [`VerifyError`].
    pub async fn verify(&self, token: &str) -> Result<Claims, VerifyError> {
        let header = decode_header(token).map_err(|_| TokenRefused::Invalid)?;
        if header.alg != Algorithm::ES256 {
            return Err(TokenRefused::Invalid.into());
        }
        let named = header.kid.as_deref().and_then(|kid| self.keys.named(kid));
        let key = named.ok_or(TokenRefused::Invalid)?;
        let key = DecodingKey::from_ec_der(self.keys.point(key).await?);
        Ok(verified(token, &key, &self.validation, clock::now())?)
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

/// How far ahead of ours the signer's clock may be, in seconds.
const SKEW: i64 = 60;

fn verified(
    token: &str,
    key: &DecodingKey,
    validation: &Validation,
    now: Timestamp,
) -> Result<Claims, TokenRefused> {
    let claims = decode::<Claims>(token, key, validation)
        .map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => TokenRefused::Expired,
            _ => TokenRefused::Invalid,
        })?
        .claims;
    // The library looks at neither `iat` nor how long a token is good for.
    let from_the_future = claims.iat > now.unix_seconds().saturating_add(SKEW);
    let lifetime = claims.exp.checked_sub(claims.iat);
    if from_the_future || lifetime.is_none_or(|lifetime| lifetime > LIFETIME) {
        return Err(TokenRefused::Invalid);
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::{SigningKey, signature::Signer as _};
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 4_000_000_000;

    fn now() -> Timestamp {
        Timestamp::try_from("2096-10-02T07:06:40.000Z".to_owned()).unwrap()
    }

    #[test]
    fn the_tests_have_one_now() {
        assert_eq!(now().unix_seconds(), NOW);
    }

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
        verified(token, &decoding_key(), &validation(&issuer()), now())
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
            ("iat", Value::Null),
            ("jti", Value::Null),
            ("jti", json!("one")),
            ("iat", json!(NOW + SKEW + 1)),
            ("exp", json!(NOW + LIFETIME + 1)),
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
}
