//! Entries of the authority's log.

use crate::DecodeError;
use crate::number::Number;
use minicbor::{Decoder, Encoder};
use tumbler_types::{Command, Format, Revision, SecretId, SecretValue};

/// One log entry's command: compare-and-set on the slice's revision. `Enroll`, `Begin` and `Fill` carry
/// the value, so that it is durable before anyone hears of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogCommand {
    pub secret: SecretId,
    pub expected: Revision,
    pub command: Command,
    pub value: Option<SecretValue>,
}

const KIND: u8 = 130;

impl LogCommand {
    /// Marked as of the lowest format: see [`crate::record::in_format`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let LogCommand { secret, expected, command, value } = self;
        let mut out = vec![Format::LOWEST.0, KIND];
        let mut encoder = Encoder::new(&mut out);
        let numbers = numbers(command);
        let fields = 4 + numbers.len() as u64;
        let mut write = || {
            encoder.array(fields)?.u64(secret.to_u64())?.u64(expected.to_u64())?;
            match value {
                Some(value) => encoder.bytes(value.expose())?,
                None => encoder.null()?,
            };
            encoder.u8(command.number())?;
            numbers.iter().try_for_each(|number| encoder.u64(*number).map(|_| ()))
        };
        write().expect("writing to a vector cannot fail");
        out
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let [format, kind, body @ ..] = bytes else { return Err(DecodeError::Truncated) };
        if Format::from_number(*format).is_none() {
            return Err(DecodeError::Format { got: *format });
        }
        if *kind != KIND {
            return Err(DecodeError::Kind { got: *kind });
        }
        let mut decoder = Decoder::new(body);
        let fields = decoder.array()?.ok_or(DecodeError::Body)?;
        let secret = number(&mut decoder)?;
        let expected = number(&mut decoder)?;
        let value = match decoder.datatype()? {
            minicbor::data::Type::Null => {
                decoder.null()?;
                None
            }
            _ => Some(SecretValue::new(decoder.bytes()?.to_vec())),
        };
        let kind = decoder.u8()?;
        let command = command(kind, fields, &mut decoder)?;
        Ok(LogCommand { secret, expected, command, value })
    }
}

fn number<T: Number>(decoder: &mut Decoder<'_>) -> Result<T, DecodeError> {
    T::from_u64(decoder.u64()?).ok_or(DecodeError::Body)
}

/// The command's fields in declaration order.
fn numbers(command: &Command) -> Vec<u64> {
    match command {
        Command::Enroll { version, principal, value } => {
            vec![version.to_u64(), principal.to_u64(), value.to_u64()]
        }
        Command::AcquireLease { rotator, epoch, until } | Command::RenewLease { rotator, epoch, until } => {
            vec![rotator.to_u64(), epoch.to_u64(), until.to_u64()]
        }
        Command::Begin { epoch, txn, version, principal, value, cause } => vec![
            epoch.to_u64(),
            txn.to_u64(),
            version.to_u64(),
            principal.to_u64(),
            value.to_u64(),
            cause.to_u64(),
        ],
        Command::Advance { epoch, txn, from, to } => {
            vec![epoch.to_u64(), txn.to_u64(), from.to_u64(), to.to_u64()]
        }
        Command::RollBack { txn } => vec![txn.to_u64()],
        Command::OrderRotation {} => vec![],
        Command::Revoke { version, serial } => vec![version.to_u64(), serial.to_u64()],
        Command::ConfirmRefused { epoch, version } => vec![epoch.to_u64(), version.to_u64()],
        Command::Grant { agent, version, until } => {
            vec![agent.to_u64(), version.to_u64(), until.to_u64()]
        }
        Command::Acknowledge { agent, version, serial } => {
            vec![agent.to_u64(), version.to_u64(), serial.to_u64()]
        }
        Command::RaiseFloor { floor } => vec![floor.to_u64()],
        Command::Attempt { epoch, txn, attempt } => vec![epoch.to_u64(), txn.to_u64(), attempt.to_u64()],
        Command::Fill { epoch, txn, attempt, principal, value } => {
            vec![epoch.to_u64(), txn.to_u64(), attempt.to_u64(), principal.to_u64(), value.to_u64()]
        }
    }
}

fn command(kind: u8, fields: u64, d: &mut Decoder<'_>) -> Result<Command, DecodeError> {
    let command = match kind {
        1 => Command::Enroll { version: number(d)?, principal: number(d)?, value: number(d)? },
        2 => Command::AcquireLease { rotator: number(d)?, epoch: number(d)?, until: number(d)? },
        3 => Command::RenewLease { rotator: number(d)?, epoch: number(d)?, until: number(d)? },
        4 => Command::Begin {
            epoch: number(d)?,
            txn: number(d)?,
            version: number(d)?,
            principal: number(d)?,
            value: number(d)?,
            cause: number(d)?,
        },
        5 => Command::Advance { epoch: number(d)?, txn: number(d)?, from: number(d)?, to: number(d)? },
        6 => Command::RollBack { txn: number(d)? },
        7 => Command::OrderRotation {},
        8 => Command::Revoke { version: number(d)?, serial: number(d)? },
        9 => Command::ConfirmRefused { epoch: number(d)?, version: number(d)? },
        10 => Command::Grant { agent: number(d)?, version: number(d)?, until: number(d)? },
        11 => Command::Acknowledge { agent: number(d)?, version: number(d)?, serial: number(d)? },
        12 => Command::RaiseFloor { floor: number(d)? },
        13 => Command::Attempt { epoch: number(d)?, txn: number(d)?, attempt: number(d)? },
        14 => Command::Fill {
            epoch: number(d)?,
            txn: number(d)?,
            attempt: number(d)?,
            principal: number(d)?,
            value: number(d)?,
        },
        got => return Err(DecodeError::Kind { got }),
    };
    // A longer array is a later build's: its further fields are skipped.
    if fields < 4 + numbers(&command).len() as u64 {
        return Err(DecodeError::Body);
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tumbler_types::{
        Attempt, Cause, Epoch, NodeId, Phase, Principal, Serial, Tag, TxnId, VersionId, Wall,
    };

    #[test]
    fn every_command_survives_its_bytes() {
        let (epoch, txn, version) = (Epoch(3), TxnId(4), VersionId(5));
        let commands = [
            Command::Enroll { version, principal: Principal::Green, value: Tag(u64::MAX) },
            Command::AcquireLease { rotator: NodeId(1), epoch, until: Wall(9) },
            Command::RenewLease { rotator: NodeId(1), epoch, until: Wall(10) },
            Command::Begin {
                epoch,
                txn,
                version,
                principal: Principal::Blue,
                value: Tag(8),
                cause: Cause::Revoked,
            },
            Command::Advance { epoch, txn, from: Phase::Drain, to: Phase::Retire },
            Command::RollBack { txn },
            Command::OrderRotation {},
            Command::Revoke { version, serial: Serial(2) },
            Command::ConfirmRefused { epoch, version },
            Command::Grant { agent: NodeId(2), version, until: Wall(11) },
            Command::Acknowledge { agent: NodeId(2), version, serial: Serial(1) },
            Command::RaiseFloor { floor: Format(2) },
            Command::Attempt { epoch, txn, attempt: Attempt(2) },
            Command::Fill { epoch, txn, attempt: Attempt(2), principal: Principal::Green, value: Tag(7) },
        ];
        let numbers: Vec<u8> = commands.iter().map(Command::number).collect();
        assert_eq!(numbers.len(), Command::KINDS.len(), "every kind is in the table");
        for command in commands {
            for value in [None, Some(SecretValue::new(vec![7; 16]))] {
                let entry = LogCommand { secret: SecretId(1), expected: Revision(6), command, value };
                let bytes = entry.to_bytes();
                assert_eq!(LogCommand::from_bytes(&bytes), Ok(entry));
                for cut in 0..bytes.len() {
                    assert!(LogCommand::from_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
                }
            }
        }
    }
}
