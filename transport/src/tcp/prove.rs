//! Who is at the other end of a TLS connection.
//!
//! Law: only the 44 bytes of an ed25519 key are understood, and what is proved is a signature over
//! this very handshake. A key that is not the wanted one, or not let in, ends it before a byte of a
//! peer is read.

use std::sync::{Arc, OnceLock};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
    client::{
        AlwaysResolvesClientRawPublicKeys, Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, ring as provider,
        verify_tls13_signature_with_raw_key,
    },
    pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
    server::{
        AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
    version::TLS13,
};
use samsara_proto::PeerId;

use crate::{gate::Gate, identity::Identity, link::Class};

/// An ed25519 key as a SubjectPublicKeyInfo, all but the key.
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const CONTROL: &[u8] = b"samsara/1/control";
const BULK: &[u8] = b"samsara/1/bulk";

/// What a link is for, as it is told in the handshake: the version of what is spoken is in it too.
pub(super) fn name_of(class: Class) -> &'static [u8] {
    match class {
        Class::Control => CONTROL,
        Class::Bulk => BULK,
    }
}

/// The class of that name.
pub(super) fn class_of(name: &[u8]) -> Option<Class> {
    [Class::Control, Class::Bulk].into_iter().find(|class| name_of(*class) == name)
}

/// The peer of a key in the form that TLS shows it in.
pub(super) fn peer_of(shown: &[u8]) -> Option<PeerId> {
    let key: &[u8; 32] = shown.strip_prefix(&SPKI)?.try_into().ok()?;
    Some(PeerId::from_ed25519_public_key(key))
}

/// How the side that listens proves itself, and whom it takes.
pub(super) fn server(identity: &Identity, gate: Gate) -> Result<ServerConfig, Error> {
    let (provider, key) = prepare(identity)?;
    let found = Found::default();
    let verifier = Verifier::new(&provider, Wanted::Of(gate), found);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(key)));
    config.alpn_protocols = vec![CONTROL.to_vec(), BULK.to_vec()];
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.max_early_data_size = 0;
    Ok(config)
}

/// How the side that dials proves itself, whom it wants, and whom it finds.
pub(super) fn client(
    identity: &Identity,
    wanted: PeerId,
    class: Class,
) -> Result<(ClientConfig, Found), Error> {
    let (provider, key) = prepare(identity)?;
    let found = Found::default();
    let verifier = Verifier::new(&provider, Wanted::Exactly(wanted), found.clone());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(key)));
    config.alpn_protocols = vec![name_of(class).to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    config.enable_sni = false;
    Ok((config, found))
}

fn prepare(identity: &Identity) -> Result<(Arc<CryptoProvider>, Arc<CertifiedKey>), Error> {
    let signer = provider::sign::any_eddsa_type(&identity.pkcs8())?;
    let key = identity.peer().ed25519_public_key();
    let key = key.ok_or_else(|| Error::General("the identity has no ed25519 key".to_owned()))?;
    let shown = [&SPKI[..], &key[..]].concat();
    let key = CertifiedKey::new(vec![CertificateDer::from(shown)], signer);
    Ok((Arc::new(provider::default_provider()), Arc::new(key)))
}

/// Who showed a key, whether or not it was the wanted one.
#[derive(Clone, Debug, Default)]
pub(super) struct Found(Arc<OnceLock<PeerId>>);

impl Found {
    pub(super) fn peer(&self) -> Option<PeerId> {
        self.0.get().copied()
    }
}

#[derive(Debug)]
enum Wanted {
    Exactly(PeerId),
    Of(Gate),
}

#[derive(Debug)]
struct Verifier {
    wanted: Wanted,
    found: Found,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    fn new(provider: &CryptoProvider, wanted: Wanted, found: Found) -> Self {
        Self { wanted, found, algorithms: provider.signature_verification_algorithms }
    }

    fn judge(&self, shown: &[u8], others: &[CertificateDer<'_>]) -> Result<(), Error> {
        let peer = peer_of(shown).filter(|_| others.is_empty());
        let peer = peer.ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let is_wanted = match &self.wanted {
            Wanted::Exactly(wanted) => {
                self.found.0.get_or_init(|| peer);
                peer == *wanted
            }
            Wanted::Of(gate) => gate.admits(&peer),
        };
        if is_wanted {
            Ok(())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = SubjectPublicKeyInfoDer::from(shown.as_ref());
        verify_tls13_signature_with_raw_key(message, &key, signed, &self.algorithms)
    }
}

/// What no connection of ours speaks.
fn old() -> Error {
    Error::General("only TLS 1.3 is spoken".to_owned())
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.judge(shown, others).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(old())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, shown, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        shown: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.judge(shown, others).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(old())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, shown, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
