//! Reads protocols from the text of an address.
//!
//! Law: a value is parsed as the standard library parses its type, as other readers do.

use std::str::FromStr;

use super::error::AddressError;
use super::kind::Kind;
use super::protocol::Protocol;

/// The text that is still to be read; `None` after its last segment.
pub(super) struct Segments<'a> {
    rest: Option<&'a str>,
    at: usize,
}

impl<'a> Segments<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self, AddressError> {
        let found = text.chars().next().ok_or(AddressError::Empty)?;
        let rest = text.strip_prefix('/').ok_or(AddressError::MissingSlash { found })?;
        Ok(Self { rest: Some(rest), at: 1 })
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_none()
    }

    pub(super) fn protocol(&mut self) -> Result<Protocol<'a>, AddressError> {
        let at = self.at;
        let name = self.segment().ok_or(AddressError::MissingProtocol { at })?;
        let Some(kind) = Kind::from_name(name) else {
            let name = name.to_owned();
            return Err(AddressError::UnknownProtocol { name, at });
        };
        Ok(match kind {
            Kind::Ip4 => Protocol::Ip4(self.parsed(kind)?),
            Kind::Ip6 => Protocol::Ip6(self.parsed(kind)?),
            Kind::Dns => Protocol::Dns(self.value(kind)?.0),
            Kind::Dns4 => Protocol::Dns4(self.value(kind)?.0),
            Kind::Dns6 => Protocol::Dns6(self.value(kind)?.0),
            Kind::Dnsaddr => Protocol::Dnsaddr(self.value(kind)?.0),
            Kind::Tcp => Protocol::Tcp(self.parsed(kind)?),
            Kind::Udp => Protocol::Udp(self.parsed(kind)?),
            Kind::Memory => Protocol::Memory(self.parsed(kind)?),
            Kind::P2p => {
                let (value, at) = self.value(kind)?;
                Protocol::p2p(value.parse(), at)?
            }
            Kind::QuicV1 => Protocol::QuicV1,
            Kind::Tls => Protocol::Tls,
            Kind::P2pCircuit => Protocol::P2pCircuit,
        })
    }

    fn parsed<T: FromStr>(&mut self, kind: Kind) -> Result<T, AddressError> {
        let (value, at) = self.value(kind)?;
        value.parse().map_err(|_| AddressError::InvalidValue {
            protocol: kind.name(),
            wanted: kind.wanted(),
            value: value.to_owned(),
            at,
        })
    }

    /// The value of a protocol, and where it begins.
    fn value(&mut self, kind: Kind) -> Result<(&'a str, usize), AddressError> {
        let at = self.at;
        let value = self.segment().ok_or(AddressError::MissingValue {
            protocol: kind.name(),
            wanted: kind.wanted(),
            at,
        })?;
        Ok((value, at))
    }

    /// The text up to the next slash, unless nothing is there.
    fn segment(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        let segment = match rest.split_once('/') {
            Some((segment, after)) => {
                self.rest = Some(after);
                self.at += segment.len() + 1;
                segment
            }
            None => {
                self.rest = None;
                self.at += rest.len();
                rest
            }
        };
        (!segment.is_empty()).then_some(segment)
    }
}
