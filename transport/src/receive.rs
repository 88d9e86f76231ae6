//! The receiving half of a link.
//!
//! Law: a frame is handed out whole. Its length is checked before anything is allocated for it, and
//! memory is touched only for bytes that have arrived. Who does not take frames is sent none.

use std::{collections::VecDeque, fmt, io::ErrorKind, sync::Weak, time::Duration};

use bytes::{Buf, Bytes, BytesMut};
use samsara_ingress::{Admitted, Charge, IngressReader, Readiness, TurnLimits};
use samsara_proto::{EncodedFrame, EnvelopeCaps, FramePrefix};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time,
};

use crate::{
    closed::{Closed, Ending},
    limits::LinkLimits,
    send::Outgoing,
};

/// What is read at a time. Frames that are shorter than a segment's least payload are sliced from it;
/// longer ones get a buffer of their own, where their segments lie aligned.
const CHUNK: usize = 64 << 10;
const SMALL: usize = 1 << 10;

/// Receives the frames of a link, in their order.
pub struct LinkReceiver {
    source: Source,
    ending: Ending,
    /// What ends with it: nobody sends to who does not read, nor for whom nobody reads.
    ends: Vec<Weak<Outgoing>>,
}

enum Source {
    Memory(Handed),
    Bytes(Box<Stream>),
}

/// Frames that are handed over without bytes in between.
struct Handed {
    reader: IngressReader<EncodedFrame>,
    taken: Vec<Admitted<EncodedFrame>>,
    ready: VecDeque<EncodedFrame>,
    /// Room that the sender has again when all that was taken is read.
    charge: Option<Charge>,
}

/// Frames out of a stream of bytes.
struct Stream {
    io: Box<dyn AsyncRead + Send + Unpin>,
    buffer: BytesMut,
    /// A long frame under way, and its length.
    long: Option<(BytesMut, usize)>,
    caps: EnvelopeCaps,
    silence: Duration,
}

impl LinkReceiver {
    pub(crate) fn from_memory(
        reader: IngressReader<EncodedFrame>,
        ending: Ending,
        ends: Vec<Weak<Outgoing>>,
    ) -> Self {
        let (taken, ready) = (Vec::new(), VecDeque::new());
        Self { source: Source::Memory(Handed { reader, taken, ready, charge: None }), ending, ends }
    }

    pub(crate) fn from_bytes(
        io: impl AsyncRead + Send + Unpin + 'static,
        limits: &LinkLimits,
        ending: Ending,
        ends: Vec<Weak<Outgoing>>,
    ) -> Self {
        let stream = Stream {
            io: Box::new(io),
            buffer: BytesMut::new(),
            long: None,
            caps: limits.caps,
            silence: limits.silence,
        };
        Self { source: Source::Bytes(Box::new(stream)), ending, ends }
    }

    /// The next frame. It may be cancelled, and no byte is lost. After an end it says the same again.
    pub async fn recv(&mut self) -> Result<Bytes, Closed> {
        let next = match &mut self.source {
            Source::Memory(handed) => handed.next().await,
            Source::Bytes(stream) => stream.next().await,
        };
        next.map_err(|closed| {
            let why = self.ending.note(closed);
            self.end();
            why
        })
    }

    /// A frame that is here already, if one is whole.
    pub fn try_recv(&mut self) -> Result<Option<Bytes>, Closed> {
        match &mut self.source {
            Source::Memory(handed) => Ok(handed.ready.pop_front().map(|frame| frame.to_bytes())),
            Source::Bytes(stream) => stream.whole().map_err(|closed| self.ending.note(closed)),
        }
    }

    fn end(&self) {
        for outgoing in self.ends.iter().filter_map(Weak::upgrade) {
            outgoing.close();
        }
    }
}

impl Drop for LinkReceiver {
    fn drop(&mut self) {
        self.ending.note(Closed::Here);
        self.end();
    }
}

impl Handed {
    async fn next(&mut self) -> Result<Bytes, Closed> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Ok(frame.to_bytes());
            }
            self.charge = None;
            match self.reader.ready().await {
                Ok(Readiness::Events) => {}
                Ok(Readiness::Ended) | Err(_) => return Err(Closed::There),
            }
            let read = self.reader.read(TurnLimits::default(), &mut self.taken);
            self.charge = Some(read.map_err(|_| Closed::There)?);
            self.ready.extend(self.taken.drain(..).map(|admitted| admitted.event));
        }
    }
}

impl Stream {
    async fn next(&mut self) -> Result<Bytes, Closed> {
        loop {
            if let Some(frame) = self.whole()? {
                return Ok(frame);
            }
            let read = match &mut self.long {
                Some((frame, len)) => {
                    let left = len.saturating_sub(frame.len());
                    let mut rest = (&mut self.io).take(left as u64);
                    time::timeout(self.silence, rest.read_buf(frame)).await
                }
                None => {
                    self.buffer.reserve(CHUNK);
                    time::timeout(self.silence, self.io.read_buf(&mut self.buffer)).await
                }
            };
            match read {
                Err(_) => return Err(Closed::Silent(self.silence)),
                Ok(Err(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                    return Err(Closed::broken(&"it ended without a word"));
                }
                Ok(Err(error)) => return Err(Closed::broken(&error)),
                Ok(Ok(0)) if self.buffer.is_empty() && self.long.is_none() => {
                    return Err(Closed::There);
                }
                Ok(Ok(0)) => return Err(Closed::broken(&"it ended inside a frame")),
                Ok(Ok(_)) => {}
            }
        }
    }

    /// A frame of which every byte is here; a long one is moved to a buffer of its own.
    fn whole(&mut self) -> Result<Option<Bytes>, Closed> {
        if self.long.is_none() {
            if self.buffer.len() < FramePrefix::LEN {
                return Ok(None);
            }
            let prefix = FramePrefix::parse(&self.buffer, &self.caps)?;
            let len = prefix.total_len();
            if len <= SMALL {
                let is_whole = self.buffer.len() >= len;
                return Ok(is_whole.then(|| self.buffer.split_to(len).freeze()));
            }
            let mut frame = prefix.buffer();
            let here = len.min(self.buffer.len());
            frame.extend_from_slice(self.buffer.get(..here).unwrap_or_default());
            self.buffer.advance(here);
            self.long = Some((frame, len));
        }
        let is_whole = self.long.as_ref().is_some_and(|(frame, len)| frame.len() >= *len);
        Ok(if is_whole { self.long.take().map(|(frame, _)| frame.freeze()) } else { None })
    }
}

impl fmt::Debug for LinkReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkReceiver").field("ending", &self.ending).finish_non_exhaustive()
    }
}
