//! A certificate authority of this run, which the measured programs are told to trust.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use crate::failure::Failure;

/// Where Linux distributions keep the certificates that they trust.
const SYSTEM: [&str; 2] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
];

/// What the stand-in for AWS proves itself with.
pub(crate) struct Certificates {
    /// Those that the programs trust: the machine's own and one more.
    pub(crate) bundle: PathBuf,
    /// The one more, alone.
    pub(crate) authority: PathBuf,
    acceptor: TlsAcceptor,
}

impl Certificates {
    /// Makes an authority and a certificate for `localhost`, and writes what is to be trusted into `folder`.
    pub(crate) fn make(folder: &Path) -> Result<Self, Failure> {
        let (authority_pem, config) = sign().map_err(Failure::Certificates)?;
        let write = |name: &str, text: &str| {
            let file = folder.join(name);
            fs::write(&file, text)
                .map_err(Failure::machine(format!("write {}", file.display())))?;
            Ok::<_, Failure>(file)
        };
        // A function on Lambda reads more than a hundred certificates too.
        let system = SYSTEM.iter().find_map(|file| fs::read_to_string(file).ok());
        let all = format!("{}\n{authority_pem}", system.unwrap_or_default());
        Ok(Self {
            bundle: write("trusted.pem", &all)?,
            authority: write("authority.pem", &authority_pem)?,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }

    /// What takes TLS connections.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }
}

/// The authority's certificate as PEM, and how a server proves itself with one that the authority signed.
fn sign() -> Result<(String, ServerConfig), Box<dyn std::error::Error + Send + Sync>> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // OpenSSL takes a certificate for self-signed whose names are those of its issuer.
    let name = "Authority of this run";
    authority.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate()?;
    let authority_pem = authority.self_signed(&key)?.pem();
    let issuer = Issuer::new(authority, key);

    let key = KeyPair::generate()?;
    let names = vec!["localhost".to_owned()];
    let mut certificate = CertificateParams::new(names)?;
    let name = &mut certificate.distinguished_name;
    name.push(DnType::CommonName, "localhost");
    let certificate = certificate.signed_by(&key, &issuer)?;
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder().with_no_client_auth();
    Ok((authority_pem, config.with_single_cert(chain, key)?))
}
