//! What takes a link's frames to its stream.
//!
//! Law: small frames that wait go out in one write, long ones are not copied, and the room that a
//! frame took is free again only when it has gone out.

use std::sync::Weak;

use bytes::{BufMut, BytesMut};
use samsara_ingress::{Admitted, IngressReader, Readiness, TurnLimits};
use samsara_proto::EncodedFrame;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::{
    closed::{Closed, Ending},
    limits::LinkLimits,
    send::Outgoing,
};

/// Frames up to this length are gathered; copying them costs less than a write of their own.
const SMALL: usize = 8 << 10;

pub(super) struct Writer<W> {
    io: W,
    queue: IngressReader<EncodedFrame>,
    outgoing: Weak<Outgoing>,
    ending: Ending,
    gathered: BytesMut,
    turn: TurnLimits,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    pub(super) fn new(
        io: W,
        queue: IngressReader<EncodedFrame>,
        outgoing: Weak<Outgoing>,
        ending: Ending,
        limits: &LinkLimits,
    ) -> Self {
        let turn = TurnLimits { items: limits.queue_frames, bytes: limits.write_bytes as u64 };
        Self { io, queue, outgoing, ending, gathered: BytesMut::new(), turn }
    }

    /// Writes until nothing more can come.
    pub(super) async fn run(mut self) {
        let ended = self.write_all().await;
        if let Err(closed) = ended {
            self.ending.note(closed);
        }
        if let Some(outgoing) = self.outgoing.upgrade() {
            outgoing.close();
        }
        // Tells the other side that nothing is missing; if it does not hear it, that is its answer.
        let _ = self.io.shutdown().await;
    }

    async fn write_all(&mut self) -> Result<(), Closed> {
        let mut frames: Vec<Admitted<EncodedFrame>> = Vec::new();
        while let Ok(Readiness::Events) = self.queue.ready().await {
            let Ok(charge) = self.queue.read(self.turn, &mut frames) else { break };
            let written = self.write(&mut frames).await;
            written.map_err(|error| Closed::broken(&error))?;
            drop(charge);
        }
        Ok(())
    }

    async fn write(&mut self, frames: &mut Vec<Admitted<EncodedFrame>>) -> std::io::Result<()> {
        for mut frame in frames.drain(..).map(|admitted| admitted.event) {
            if frame.len() <= SMALL {
                self.gathered.put(frame);
                continue;
            }
            self.io.write_all_buf(&mut self.gathered).await?;
            self.io.write_all_buf(&mut frame).await?;
        }
        self.io.write_all_buf(&mut self.gathered).await?;
        self.io.flush().await
    }
}
