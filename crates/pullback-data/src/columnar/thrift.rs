//! The compact protocol of Thrift, as far as sizes in a Parquet file must be known before its decoder believes them.
//!
//! Slee, Agarwal and Kwiatkowski, Thrift: scalable cross-language services implementation, 2007; the compact protocol
//! is described in Apache Thrift's doc/specs/thrift-compact-protocol.md.

/// Structs in structs, so deep: Parquet's own are at most six deep.
const DEEPEST: usize = 24;

/// A value of a field that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    Integer(i64),
    /// A struct, list or text, which is yet to be read or skipped.
    Other(u8),
}

/// A reader of bytes; [`None`] wherever they end or make no sense.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn integer(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// The fields of a struct, each with its number; `each` reads or skips what is no integer.
    pub(super) fn fields(&mut self, mut each: impl FnMut(&mut Self, i16, Value) -> Option<()>) -> Option<()> {
        let mut field = 0i16;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(());
            }
            field = match head >> 4 {
                0 => i16::try_from(self.integer()?).ok()?,
                step => field.checked_add(i16::from(step))?,
            };
            let value = match head & 15 {
                kind @ 1..=2 => Value::Integer(i64::from(kind == 1)),
                3 => Value::Integer(i64::from(self.byte()?)),
                4..=6 => Value::Integer(self.integer()?),
                kind => Value::Other(kind),
            };
            each(self, field, value)?;
        }
    }

    /// The kind and the number of a list's elements, no more than there are bytes.
    pub(super) fn list(&mut self) -> Option<(u8, usize)> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => self.number()?,
            few => u64::from(few),
        };
        let left = (self.bytes.len() - self.at) as u64;
        (count <= left).then_some((head & 15, count as usize))
    }

    pub(super) fn skip(&mut self, value: Value) -> Option<()> {
        match value {
            Value::Integer(_) => Some(()),
            Value::Other(kind) => self.skip_kind(kind, DEEPEST),
        }
    }

    fn skip_kind(&mut self, kind: u8, deeper: usize) -> Option<()> {
        let deeper = deeper.checked_sub(1)?;
        match kind {
            1..=3 => self.byte().map(|_| ()),
            4..=6 => self.integer().map(|_| ()),
            7 => self.forward(8),
            8 => {
                let length = self.number()?;
                self.forward(usize::try_from(length).ok()?)
            }
            9 | 10 => {
                let (kind, count) = self.list()?;
                (0..count).try_for_each(|_| self.skip_kind(kind, deeper))
            }
            11 => {
                let count = self.number()?;
                if count == 0 {
                    return Some(());
                }
                let kinds = self.byte()?;
                (0..count).try_for_each(|_| {
                    self.skip_kind(kinds >> 4, deeper)?;
                    self.skip_kind(kinds & 15, deeper)
                })
            }
            12 => self.fields(|reader, _, value| match value {
                Value::Integer(_) => Some(()),
                Value::Other(kind) => reader.skip_kind(kind, deeper),
            }),
            13 => self.forward(16),
            _ => None,
        }
    }

    fn forward(&mut self, bytes: usize) -> Option<()> {
        self.at = self.at.checked_add(bytes).filter(|&at| at <= self.bytes.len())?;
        Some(())
    }
}
