//! Events as bytes of a journal.
//!
//! Law: every event can be written, whatever it holds; the door has checked it before, and what it
//! allowed is read back. A variant keeps its number.

use samsara_proto::wire::{Ack, ChainContext, Fill, Refusal, TraceContext, WireEnvelope};

use super::{
    BootstrapInputs, Control, EnvelopeFrom, IngressEvent, InputIndex, InvokeAs, PeerChange,
    SendFailed, SendFailure,
};
use crate::codec::{saved, saved_enum};

saved_enum! { IngressEvent: "event" {
    1 = AppEvent { exec, input, value },
    2 = Invoke { exec, module, inputs },
    3 = Completion { command, outputs },
    4 = CompletionFailed { command, error },
    5 = EnvelopeFrom(from_peer),
    6 = SendFailed(failed),
    7 = AppIngressError { error, count },
    8 = Control(control),
    9 = InvokeAs(asked),
} }

saved_enum! { Control: "control event" {
    1 = Start,
    2 = Peers(change),
    3 = Bootstrap(asked),
    4 = Lifecycle(phase),
    5 = Clear,
    6 = Begin { incarnation },
} }

saved_enum! { PeerChange: "change of peers" {
    1 = Block(peer),
    2 = Unblock(peer),
    3 = Allow(allowed),
    4 = Add { peer, addresses },
    5 = Drop(peer),
    6 = Register { peer, address },
    7 = Forget { peer, address },
    8 = AddOwn(address),
    9 = ForgetOwn(address),
    10 = Reached(peer),
    11 = BeginAnew(peer),
} }

saved_enum! { SendFailure: "failure to send" {
    1 = Unreachable,
    2 = LinkLost,
    3 = QueueFull,
    4 = Refused,
} }

saved! {
    InputIndex { module, input }
    BootstrapInputs { module, inputs }
    InvokeAs { client, request, exec, module, inputs }
    EnvelopeFrom { src_peer, envelope, src_observed_address }
    SendFailed { peer, request, reason }
}

// Field by field and not as a frame: a frame has caps, which may be lower when it is read.
saved! {
    WireEnvelope {
        schema, source, destination, incarnation, boot_nonce, stream, stream_epoch, seq, redelivered,
        acks, correlation, request_id, deadline_ns, segment_parts, fills, refusals, trace, chain,
        claimed_addresses,
    }
    Ack { stream, stream_epoch, durable, credit_bytes }
    Refusal { stream, stream_epoch, seq, reason }
    TraceContext { trace_high, trace_low, span, flags }
    ChainContext { chain_id, hop_index }
    Fill { port, type_id, payload, blobs }
}
