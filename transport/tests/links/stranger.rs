//! Ends that are made by hand, so that each may break one rule.

use std::{net::SocketAddr, sync::Arc};

use ring::signature::{Ed25519KeyPair, KeyPair};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
    client::{
        AlwaysResolvesClientRawPublicKeys, ResolvesClientCert,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::ring as provider,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime},
    server::{
        AlwaysResolvesServerRawPublicKeys, ResolvesServerCert,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
    version::TLS13,
};
use samsara_proto::{Address, Protocol};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

const CONTROL: &[u8] = b"samsara/1/control";

const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// What a stranger shows and does.
#[derive(Clone)]
pub(crate) struct Stranger {
    /// The key that it shows, in the form of TLS.
    pub(crate) shown: Vec<u8>,
    /// What else it shows.
    pub(crate) more: Vec<Vec<u8>>,
    /// The seed that it signs with.
    pub(crate) signs: u8,
    /// Whether it says that its key is a raw one.
    pub(crate) is_raw: bool,
    /// Whether it shows a key at all.
    pub(crate) has_key: bool,
    pub(crate) protocols: Vec<Vec<u8>>,
}

/// The key of a seed, in the form of TLS.
pub(crate) fn shown(seed: u8) -> Vec<u8> {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("any seed is a key");
    [&SPKI[..], pair.public_key().as_ref()].concat()
}

impl Stranger {
    /// One that breaks no rule.
    pub(crate) fn honest(seed: u8) -> Self {
        Self {
            shown: shown(seed),
            more: Vec::new(),
            signs: seed,
            is_raw: true,
            has_key: true,
            protocols: vec![CONTROL.to_vec()],
        }
    }

    fn key(&self) -> Arc<CertifiedKey> {
        let der = [&PKCS8[..], &[self.signs; 32]].concat();
        let signer = provider::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(der));
        let shown = std::iter::once(&self.shown).chain(&self.more).cloned();
        let shown = shown.map(CertificateDer::from).collect();
        Arc::new(CertifiedKey::new(shown, signer.expect("any seed signs")))
    }

    pub(crate) fn client(&self) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .expect("TLS 1.3 is there")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody { is_raw: true }));
        let mut config = match (self.has_key, self.is_raw) {
            (false, _) => builder.with_no_client_auth(),
            (true, true) => builder.with_client_cert_resolver(Arc::new(
                AlwaysResolvesClientRawPublicKeys::new(self.key()),
            )),
            (true, false) => builder.with_client_cert_resolver(Arc::new(Certificate(self.key()))),
        };
        config.alpn_protocols.clone_from(&self.protocols);
        config.enable_sni = false;
        config
    }

    pub(crate) fn server(&self) -> ServerConfig {
        let builder = ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .expect("TLS 1.3 is there")
            .with_client_cert_verifier(Arc::new(Anybody { is_raw: true }));
        let resolver: Arc<dyn ResolvesServerCert> = if self.is_raw {
            Arc::new(AlwaysResolvesServerRawPublicKeys::new(self.key()))
        } else {
            Arc::new(Certificate(self.key()))
        };
        let mut config = builder.with_cert_resolver(resolver);
        config.alpn_protocols.clone_from(&self.protocols);
        config
    }

    /// A connection, as far as the handshake goes on this side.
    pub(crate) async fn connect(&self, to: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(to).await?;
        let connector = TlsConnector::from(Arc::new(self.client()));
        connector.connect(ServerName::from(to.ip()), stream).await
    }
}

/// The socket of an address of ours.
pub(crate) fn socket(address: &Address) -> SocketAddr {
    let mut parts = address.protocols();
    match (parts.next(), parts.next()) {
        (Some(Protocol::Ip4(ip)), Some(Protocol::Tcp(port))) => (ip, port).into(),
        other => panic!("{other:?}"),
    }
}

/// Shows its key as if it were a certificate.
#[derive(Debug)]
struct Certificate(Arc<CertifiedKey>);

impl ResolvesClientCert for Certificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// Believes anybody anything.
#[derive(Debug)]
struct Anybody {
    is_raw: bool,
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::InvalidCertificate(CertificateError::BadSignature))
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.is_raw
    }
}

impl ClientCertVerifier for Anybody {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::InvalidCertificate(CertificateError::BadSignature))
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.is_raw
    }
}
