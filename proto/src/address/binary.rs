//! Reads protocols from the bytes of an address.
//!
//! Law: nothing is allocated, every read is checked, and each refusal knows its offset.

use super::error::AddressError;
use super::kind::Kind;
use super::protocol::Protocol;
use crate::PeerId;
use crate::varint::{VarintError, split_varint};

/// The bytes that are still to be read.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn protocol(&mut self) -> Result<Protocol<'a>, AddressError> {
        let at = self.at;
        let code = self.varint("protocol code")?;
        let kind = Kind::from_code(code).ok_or(AddressError::UnknownCode { code, at })?;
        Ok(match kind {
            Kind::Ip4 => Protocol::Ip4(self.array::<4>(kind)?.into()),
            Kind::Ip6 => Protocol::Ip6(self.array::<16>(kind)?.into()),
            Kind::Dns => Protocol::Dns(self.name(kind)?),
            Kind::Dns4 => Protocol::Dns4(self.name(kind)?),
            Kind::Dns6 => Protocol::Dns6(self.name(kind)?),
            Kind::Dnsaddr => Protocol::Dnsaddr(self.name(kind)?),
            Kind::Tcp => Protocol::Tcp(u16::from_be_bytes(self.array(kind)?)),
            Kind::Udp => Protocol::Udp(u16::from_be_bytes(self.array(kind)?)),
            Kind::Memory => Protocol::Memory(u64::from_be_bytes(self.array(kind)?)),
            Kind::P2p => {
                let (value, at) = self.told(kind)?;
                Protocol::p2p(PeerId::from_bytes(value), at)?
            }
            Kind::QuicV1 => Protocol::QuicV1,
            Kind::Tls => Protocol::Tls,
            Kind::P2pCircuit => Protocol::P2pCircuit,
        })
    }

    fn array<const N: usize>(&mut self, kind: Kind) -> Result<[u8; N], AddressError> {
        let Some((value, rest)) = self.rest.split_first_chunk() else {
            return Err(self.truncated(kind.name(), N as u64));
        };
        self.at += N;
        self.rest = rest;
        Ok(*value)
    }

    fn name(&mut self, kind: Kind) -> Result<&'a str, AddressError> {
        let (value, at) = self.told(kind)?;
        let (protocol, wanted) = (kind.name(), kind.wanted());
        if value.is_empty() {
            return Err(AddressError::MissingValue { protocol, wanted, at });
        }
        // A slash would read back from text as the start of another protocol.
        match str::from_utf8(value) {
            Ok(name) if !name.contains('/') => Ok(name),
            _ => Err(AddressError::InvalidValue {
                protocol,
                wanted,
                value: String::from_utf8_lossy(value).into_owned(),
                at,
            }),
        }
    }

    /// A value whose length is told before it, and where the value begins.
    fn told(&mut self, kind: Kind) -> Result<(&'a [u8], usize), AddressError> {
        let told = self.varint("length of a value")?;
        let at = self.at;
        let split = usize::try_from(told).ok().and_then(|len| self.rest.split_at_checked(len));
        let Some((value, rest)) = split else {
            return Err(self.truncated(kind.name(), told));
        };
        self.at += value.len();
        self.rest = rest;
        Ok((value, at))
    }

    fn varint(&mut self, part: &'static str) -> Result<u64, AddressError> {
        let at = self.at;
        let (value, rest) = split_varint(self.rest).map_err(|error| match error {
            VarintError::Truncated => self.truncated(part, self.rest.len() as u64 + 1),
            VarintError::TooLong => AddressError::VarintTooLong { part, at },
            VarintError::NotMinimal => AddressError::VarintNotMinimal { part, at },
        })?;
        self.at += self.rest.len() - rest.len();
        self.rest = rest;
        Ok(value)
    }

    fn truncated(&self, part: &'static str, wanted: u64) -> AddressError {
        AddressError::Truncated { part, wanted, got: self.rest.len(), at: self.at }
    }
}
