//! What hosts say to each other, beside what their Nodes do.
//!
//! Law: nothing new on the wire. A host's word is an envelope that names neither source nor
//! destination and bears one fill, whose port is the word.

use bytes::{Buf, BufMut, Bytes};
use samsara_proto::{
    PeerId, WireEnvelope,
    wire::{Fill, SCHEMA},
};

use super::bond::SessionId;

/// What these words are a version of.
const VERSION: u32 = 1;
/// Bytes of names that one envelope bears, but for a name that is longer.
const NAMES_BYTES: usize = 32 << 10;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostWord {
    /// The first frame of each link: which session it is one of.
    Hello(SessionId),
    /// Who has dialled the session holds to it.
    Go,
    /// These Nodes live there. Their ids are derived from these names, as anyone can check.
    Here(Vec<String>),
    /// These do not, now.
    Gone(Vec<String>),
    /// What was under way between these two is lost: the first is the speaker's.
    Cut(PeerId, PeerId),
    /// There is nothing to say.
    Beat,
}

impl HostWord {
    /// Names, in as many words as they need.
    pub(crate) fn all_here(names: impl IntoIterator<Item = String>) -> Vec<Self> {
        let mut words = Vec::new();
        let (mut some, mut bytes) = (Vec::new(), 0_usize);
        for name in names {
            if bytes.saturating_add(name.len()) > NAMES_BYTES && !some.is_empty() {
                words.push(Self::Here(std::mem::take(&mut some)));
                bytes = 0;
            }
            bytes = bytes.saturating_add(name.len()).saturating_add(4);
            some.push(name);
        }
        if !some.is_empty() {
            words.push(Self::Here(some));
        }
        words
    }

    pub(crate) fn envelope(&self) -> WireEnvelope {
        let mut payload = Vec::new();
        let port = match self {
            Self::Hello(SessionId(session)) => {
                payload.put_u32_le(VERSION);
                payload.put_u64_le(*session);
                "hello"
            }
            Self::Go => "go",
            Self::Here(names) => {
                names.iter().for_each(|name| put(&mut payload, name.as_bytes()));
                "here"
            }
            Self::Gone(names) => {
                names.iter().for_each(|name| put(&mut payload, name.as_bytes()));
                "gone"
            }
            Self::Cut(from, to) => {
                put(&mut payload, &from.to_bytes());
                put(&mut payload, &to.to_bytes());
                "cut"
            }
            Self::Beat => "beat",
        };
        let fill = Fill { port: port.into(), payload: payload.into(), ..Fill::default() };
        WireEnvelope { schema: SCHEMA, fills: vec![fill], ..WireEnvelope::default() }
    }

    /// The word of an envelope, if it is one.
    pub(crate) fn of(envelope: &WireEnvelope) -> Option<Self> {
        let [fill] = &envelope.fills[..] else { return None };
        let mut payload = fill.payload.clone();
        let word = match fill.port.as_ref() {
            "hello" => {
                let version = payload.try_get_u32_le().ok()?;
                let session = payload.try_get_u64_le().ok()?;
                (version == VERSION).then_some(Self::Hello(SessionId(session)))?
            }
            "go" => Self::Go,
            "here" => Self::Here(names(&mut payload)?),
            "gone" => Self::Gone(names(&mut payload)?),
            "cut" => Self::Cut(peer(&mut payload)?, peer(&mut payload)?),
            "beat" => Self::Beat,
            _ => return None,
        };
        payload.is_empty().then_some(word)
    }
}

fn put(payload: &mut Vec<u8>, bytes: &[u8]) {
    payload.put_u32_le(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    payload.put_slice(bytes);
}

fn take(payload: &mut Bytes) -> Option<Bytes> {
    let len = usize::try_from(payload.try_get_u32_le().ok()?).ok()?;
    (len <= payload.len()).then(|| payload.split_to(len))
}

fn names(payload: &mut Bytes) -> Option<Vec<String>> {
    let mut names = Vec::new();
    while !payload.is_empty() {
        names.push(String::from_utf8(take(payload)?.into()).ok()?);
    }
    Some(names)
}

fn peer(payload: &mut Bytes) -> Option<PeerId> {
    PeerId::from_bytes(&take(payload)?).ok()
}

#[cfg(test)]
mod tests {
    use samsara_proto::EnvelopeCodec;

    use super::*;

    #[test]
    fn words_are_the_same_after_the_wire_and_cut_short_they_are_none() {
        let words = [
            HostWord::Hello(SessionId(7)),
            HostWord::Go,
            HostWord::Here(vec!["one".into(), String::new()]),
            HostWord::Gone(vec!["two".into()]),
            HostWord::Cut(PeerId::from(1), PeerId::from(2)),
            HostWord::Beat,
        ];
        let codec = EnvelopeCodec::default();
        for word in words {
            let frame = codec.encode(&word.envelope()).expect("it fits").to_bytes();
            let mut read = codec.decode_capped(frame).expect("it was written here");
            assert_eq!(HostWord::of(&read), Some(word.clone()));
            let whole = read.fills[0].payload.clone();
            for len in 0..whole.len() {
                read.fills[0].payload = whole.slice(..len);
                assert_ne!(HostWord::of(&read), Some(word.clone()), "{len} bytes of {word:?}");
            }
            read.fills[0].payload = [&whole[..], &[0]].concat().into();
            assert_ne!(HostWord::of(&read), Some(word));
        }
        assert_eq!(HostWord::of(&WireEnvelope::default()), None);
    }

    #[test]
    fn many_names_go_in_several_words_and_none_is_missing() {
        let names: Vec<String> = (0..10_000).map(|n| format!("node-{n}")).collect();
        let words = HostWord::all_here(names.clone());
        assert!(words.len() > 1);
        let told = words.into_iter().flat_map(|word| match word {
            HostWord::Here(names) => names,
            other => panic!("{other:?}"),
        });
        assert_eq!(told.collect::<Vec<_>>(), names);
    }
}
