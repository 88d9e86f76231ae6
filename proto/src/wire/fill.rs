//! One value for one port, whose names are shared with the frame or the program that they come from.
//!
//! Law: its bytes are those that prost gives for the message in the schema; generated code would
//! copy each name.

use ::bytes::{Buf, BufMut, Bytes};
use prost::{
    DecodeError, Message,
    encoding::{DecodeContext, WireType, bytes, skip_field, string},
};

use crate::Name;

/// One value for one port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fill {
    /// Port path at the destination, `module/port`.
    pub port: Name,
    /// Type id of the value, `name@version`.
    pub type_id: Name,
    /// The encoded value, or what describes it when its content is in blobs.
    pub payload: Bytes,
    /// Bulk content that the payload refers to by position, such as a tensor's elements.
    pub blobs: Vec<Bytes>,
}

impl Fill {
    /// The fields of one stretch of bytes each, which are not told when they are empty.
    fn stretches(&self) -> impl Iterator<Item = (u32, Bytes)> {
        let names = [(1, &self.port), (2, &self.type_id)];
        let names = names.map(|(tag, name)| (tag, name.to_bytes()));
        let told = names.into_iter().chain([(3, self.payload.clone())]);
        told.filter(|(_, content)| !content.is_empty())
    }
}

impl Message for Fill {
    fn encode_raw(&self, out: &mut impl BufMut) {
        self.stretches().for_each(|(tag, content)| bytes::encode(tag, &content, out));
        bytes::encode_repeated(4, &self.blobs, out);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        from: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        let name = |to: &mut Name, from| {
            let mut text = String::new();
            string::merge(wire_type, &mut text, from, context.clone())?;
            *to = text.into();
            Ok(())
        };
        match tag {
            1 => name(&mut self.port, from),
            2 => name(&mut self.type_id, from),
            3 => bytes::merge(wire_type, &mut self.payload, from, context),
            4 => bytes::merge_repeated(wire_type, &mut self.blobs, from, context),
            _ => skip_field(wire_type, tag, from, context),
        }
    }

    fn encoded_len(&self) -> usize {
        let stretches = self.stretches().map(|(tag, content)| bytes::encoded_len(tag, &content));
        stretches.sum::<usize>() + bytes::encoded_len_repeated(4, &self.blobs)
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}
