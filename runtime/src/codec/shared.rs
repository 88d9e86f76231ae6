//! The words that everyone shares: ids, times, peers, values, errors.
//!
//! Law: each is checked as it is anywhere else where it enters from bytes.

use std::num::NonZeroU64;

use bytes::Bytes;
use samsara_proto::{Address, PeerId};

use super::{Kept, Loader, Saved, Saver, Unreadable, saved, saved_enum};
use crate::{
    error::{AppIngressError, AppIngressKind, AppIngressSource, OpError, OpErrorKind},
    id::{CommandId, ExecId, IdCounter, Incarnation, MintedId, RequestId},
    peer::{PeerIx, PeerTable},
    reserve::AllocFailReason,
    rng::{Rng, RngState},
    schema::{PortType, decode, encode},
    time::{LogicalClock, Nanos},
    value::Value,
};

impl Saved for Nanos {
    fn save(&self, out: &mut Saver) {
        self.get().save(out);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        Ok(Self::new(u64::load(from)?))
    }
}

impl Saved for Incarnation {
    fn save(&self, out: &mut Saver) {
        self.get().save(out);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        Ok(Self::new(u64::load(from)?))
    }
}

impl Saved for LogicalClock {
    fn save(&self, out: &mut Saver) {
        self.last().save(out);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        Ok(Self::resume(Nanos::load(from)?))
    }
}

fn minted<Id: MintedId>(from: &mut Loader<'_>) -> Result<Id, Unreadable> {
    let number = NonZeroU64::new(u64::load(from)?);
    let number = number.ok_or_else(|| Unreadable::invalid(Id::NAMES, "number 0 names nothing"))?;
    Ok(Id::from_number(number))
}

macro_rules! minted {
    ($($id:ident),*) => {
        $(impl Saved for $id {
            fn save(&self, out: &mut Saver) {
                self.get().save(out);
            }

            fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
                minted(from)
            }
        })*
    };
}

minted!(CommandId, ExecId, RequestId);

impl<Id: MintedId> Saved for IdCounter<Id> {
    fn save(&self, out: &mut Saver) {
        self.minted().save(out);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        Ok(Self::resume(u64::load(from)?))
    }
}

impl Saved for PeerIx {
    fn save(&self, out: &mut Saver) {
        self.get().save(out);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        Ok(Self::of(u32::load(from)?))
    }
}

impl Kept for PeerTable {
    fn save(&self, out: &mut Saver) {
        let holders: Vec<_> = self.holders().collect();
        holders.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        let wrong = || Unreadable::invalid("peers", "too many, or one of them twice");
        *self = Self::of_holders(self.cap(), Vec::load(from)?).ok_or_else(wrong)?;
        Ok(())
    }
}

saved! { RngState { seed, drawn } }

impl Saved for Rng {
    fn save(&self, out: &mut Saver) {
        self.state().save(out);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        Ok(Self::restore(&RngState::load(from)?))
    }
}

impl Saved for PeerId {
    fn save(&self, out: &mut Saver) {
        out.raw(&self.to_bytes());
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        let bytes = from.raw("peer id")?;
        Self::from_bytes(&bytes).map_err(|error| Unreadable::invalid("peer id", error))
    }
}

impl Saved for Address {
    fn save(&self, out: &mut Saver) {
        out.raw(self.as_bytes());
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        let bytes = from.raw("address")?;
        Self::from_bytes(&bytes).map_err(|error| Unreadable::invalid("address", error))
    }
}

impl Saved for Value {
    fn save(&self, out: &mut Saver) {
        if let Self::Bytes(bytes) = self {
            // As below, without the detour: most values are bytes, and all of a journal are values.
            out.raw(self.type_id().as_str().as_bytes());
            out.raw(bytes);
            return 0_u64.save(out);
        }
        let encoded = encode(self);
        out.raw(encoded.type_id.as_str().as_bytes());
        out.raw(&encoded.payload);
        out.row(encoded.blobs.iter());
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        let (type_id, payload) = (String::load(from)?, from.raw("value")?);
        let blobs: Vec<Bytes> = Vec::load(from)?;
        let types = from.types;
        decode(&PortType::Any, &type_id, payload, &blobs, &types.natives, &types.limits)
            .map_err(|error| Unreadable::invalid("value", error))
    }
}

saved_enum! { OpErrorKind: "kind of failure" {
    0 = Failed, 1 = BadArgument, 2 = BadOutput, 3 = Cancelled, 4 = TimedOut, 5 = Limit, 6 = Lost,
    7 = BadRequest, 8 = MissingResource,
} }

impl Saved for OpError {
    fn save(&self, out: &mut Saver) {
        self.kind().save(out);
        out.raw(self.reason().as_bytes());
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        Ok(Self::new(OpErrorKind::load(from)?, String::load(from)?))
    }
}

saved! { AppIngressError { source, byte_count, kind } }

saved_enum! { AppIngressSource: "what was refused" {
    0 = AppEvent { module, input }, 1 = Invoke { module, input_count }, 2 = Completion { command },
    3 = Envelope { peer },
} }

saved_enum! { AppIngressKind: "why it was refused" {
    0 = PerItemCapExceeded { cap }, 1 = BudgetExceeded { budget_remaining },
    2 = AllocationFailed(reason), 3 = TooManyInputs { count, cap }, 4 = UnknownModule,
    5 = UnknownInput, 6 = DuplicateInput, 7 = TypeMismatch, 8 = IngressFull { cap },
    9 = IngressClosed, 10 = InvalidEnvelope, 11 = Denied, 12 = IdsExhausted,
} }

saved_enum! { AllocFailReason: "why memory was not given" {
    0 = Overflow { items, item_bytes }, 1 = OutOfMemory { bytes },
} }
