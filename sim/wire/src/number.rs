//! How ids and enums are written: as unsigned CBOR integers, optional ids with zero for "none".

use minicbor::decode::Error;
use minicbor::encode::Write;
use minicbor::{Decoder, Encoder};
use tumbler_types::event::{OrderKind, Refusal};
use tumbler_types::{
    Attempt, Cause, Epoch, Format, LogIndex, NodeId, Phase, Principal, Privileges, Revision, SecretId,
    SecretValue, Serial, Span, Step, Tag, TxnId, VersionId, Wall,
};

/// A value that is written as one unsigned integer.
pub trait Number: Sized {
    fn to_u64(&self) -> u64;
    fn from_u64(number: u64) -> Option<Self>;
}

macro_rules! newtypes {
    ($($name:ident $int:ty),* $(,)?) => {$(
        impl Number for $name {
            fn to_u64(&self) -> u64 {
                u64::from(self.0)
            }
            fn from_u64(number: u64) -> Option<Self> {
                <$int>::try_from(number).ok().map($name)
            }
        }
    )*};
}

newtypes!(
    NodeId u16, SecretId u16, VersionId u32, TxnId u32, Epoch u32, Revision u32, Serial u32,
    LogIndex u32, Attempt u32, Tag u64, Wall u64, Span u64, Format u8, Privileges u8,
);

macro_rules! enums {
    ($($name:ident),*) => {$(
        impl Number for $name {
            fn to_u64(&self) -> u64 {
                *self as u64
            }
            fn from_u64(number: u64) -> Option<Self> {
                u8::try_from(number).ok().and_then($name::from_number)
            }
        }
    )*};
}

enums!(Phase, Cause, Step, OrderKind, Refusal);

impl Number for Principal {
    fn to_u64(&self) -> u64 {
        self.index() as u64
    }
    fn from_u64(number: u64) -> Option<Self> {
        Principal::ALL.into_iter().find(|principal| principal.index() as u64 == number)
    }
}

impl Number for bool {
    fn to_u64(&self) -> u64 {
        u64::from(*self)
    }
    fn from_u64(number: u64) -> Option<Self> {
        match number {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

macro_rules! options {
    ($($name:ident),*) => {$(
        impl Number for Option<$name> {
            fn to_u64(&self) -> u64 {
                self.map_or(0, |id| id.to_u64())
            }
            fn from_u64(number: u64) -> Option<Self> {
                if number == 0 { Some(None) } else { $name::from_u64(number).map(Some) }
            }
        }
    )*};
}

options!(VersionId, TxnId, Refusal);

pub fn encode<C, T: Number, W: Write>(
    value: &T,
    encoder: &mut Encoder<W>,
    _: &mut C,
) -> Result<(), minicbor::encode::Error<W::Error>> {
    encoder.u64(value.to_u64())?;
    Ok(())
}

pub fn decode<C, T: Number>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<T, Error> {
    T::from_u64(decoder.u64()?).ok_or_else(|| Error::message("number out of range"))
}

/// Numbers that may be absent: null where they are, or not there at all at the end of a body.
pub mod optional {
    use super::{Decoder, Encoder, Error, Number, Write};

    pub const fn is_nil<T>(value: &Option<T>) -> bool {
        value.is_none()
    }

    #[expect(clippy::unnecessary_wraps, clippy::option_option, reason = "the derive macro wants this type")]
    pub const fn nil<T>() -> Option<Option<T>> {
        Some(None)
    }

    pub fn encode<C, T: Number, W: Write>(
        value: &Option<T>,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match value {
            Some(value) => encoder.u64(value.to_u64())?,
            None => encoder.null()?,
        };
        Ok(())
    }

    pub fn decode<C, T: Number>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Option<T>, Error> {
        if decoder.datatype()? == minicbor::data::Type::Null {
            decoder.null()?;
            return Ok(None);
        }
        T::from_u64(decoder.u64()?).map(Some).ok_or_else(|| Error::message("number out of range"))
    }
}

/// Lists of ids.
pub mod list {
    use super::{Decoder, Encoder, Error, Number, Write};

    pub fn encode<C, T: Number, W: Write>(
        values: &[T],
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.array(values.len() as u64)?;
        for value in values {
            encoder.u64(value.to_u64())?;
        }
        Ok(())
    }

    pub fn decode<C, T: Number>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Vec<T>, Error> {
        let count = decoder.array()?.ok_or_else(|| Error::message("list without a length"))?;
        // A hostile length must not reserve memory: the list grows as elements are really there.
        let mut values = Vec::new();
        for _ in 0..count {
            values.push(T::from_u64(decoder.u64()?).ok_or_else(|| Error::message("number out of range"))?);
        }
        Ok(values)
    }
}

/// Secret bytes.
pub mod secret {
    use super::{Decoder, Encoder, Error, SecretValue, Write};

    pub fn encode<C, W: Write>(
        value: &SecretValue,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.bytes(value.expose())?;
        Ok(())
    }

    pub fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<SecretValue, Error> {
        Ok(SecretValue::new(decoder.bytes()?.to_vec()))
    }
}

/// Numbers of which the default is not written: fields that most records do without.
pub mod sparse {
    pub use super::{decode, encode};

    pub fn nil<T: Default>() -> Option<T> {
        Some(T::default())
    }

    pub fn is_nil<T: Default + PartialEq>(value: &T) -> bool {
        *value == T::default()
    }
}
