//! The program that asks an account on a chain, and the six words that it returns.

use super::{MAGIC, Question};

/// The words of an answer, in their order. The first is a length, so that the answer never begins with 0xef: what a program
/// without `to` returns counts as a new contract's code, which may not (EIP-3541).
const CODE_BEFORE: u8 = 0x00;
const CODE_AFTER: u8 = 0x20;
const CODE_HEAD: u8 = 0x40;
const SUCCESS: u8 = 0x60;
const RETURNED_BYTES: u8 = 0x80;
const RETURNED: u8 = 0xa0;
/// Where the memory behind the answer begins: what is sent to the factory and to the account.
const SCRATCH: u8 = 0xc0;

/// How long an answer is.
pub const ANSWER_BYTES: usize = SCRATCH as usize;

/// What the program found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    /// Bytes of code at the account when it was asked.
    pub(super) code_bytes: u64,
    /// How its code begins.
    pub(super) code_head: [u8; 32],
    success: bool,
    returned_bytes: u64,
    returned: [u8; 32],
}

impl Answer {
    /// Reads the words; `None` unless they are what the program returns.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; ANSWER_BYTES] = bytes.try_into().ok()?;
        let word = |at: u8| -> Option<[u8; 32]> { bytes.get(usize::from(at)..)?.first_chunk::<32>().copied() };
        let number = |at: u8| -> Option<u64> {
            let word = word(at)?;
            let (high, low) = word.split_last_chunk::<8>()?;
            high.iter().all(|byte| *byte == 0).then_some(u64::from_be_bytes(*low))
        };
        // Code does not go away in a call: not even self-destruction ends it before the call does.
        let (before, code_bytes) = (number(CODE_BEFORE)?, number(CODE_AFTER)?);
        let success = match number(SUCCESS)? {
            0 => false,
            1 => true,
            _ => return None,
        };
        (before == 0 || before == code_bytes).then_some(Self {
            code_bytes,
            code_head: word(CODE_HEAD)?,
            success,
            returned_bytes: number(RETURNED_BYTES)?,
            returned: word(RETURNED)?,
        })
    }

    /// Whether the account said yes: one word, the magic value on its left and zeros on its right.
    pub(super) fn confirms(&self) -> bool {
        let mut yes = [0; 32];
        yes[..4].copy_from_slice(&MAGIC);
        self.success && self.returned_bytes == 32 && self.returned == yes
    }
}

/// The program, with what it sends behind it.
pub(super) fn assemble(question: &Question) -> Vec<u8> {
    let asked = is_valid_signature(&question.hash, &question.signature);
    let told = question.deployment.as_ref().map_or(&[][..], |deployment| &deployment.calldata);
    // Places of the data depend on the program's length, which does not depend on them.
    let length = program(question, 0, &asked, told).len();
    let mut code = program(question, length, &asked, told);
    code.extend_from_slice(&asked);
    code.extend_from_slice(told);
    code
}

/// `isValidSignature(bytes32 hash, bytes signature)`, ABI-encoded.
fn is_valid_signature(hash: &[u8; 32], signature: &[u8]) -> Vec<u8> {
    let mut data = MAGIC.to_vec();
    data.extend_from_slice(hash);
    for number in [64, signature.len()] {
        data.extend_from_slice(&[0; 24]);
        data.extend_from_slice(&(number as u64).to_be_bytes());
    }
    data.extend_from_slice(signature);
    data.resize(4 + 32 * 3 + signature.len().next_multiple_of(32), 0);
    data
}

/// The instructions; `data` is where `asked` and then `told` stand.
fn program(question: &Question, data: usize, asked: &[u8], told: &[u8]) -> Vec<u8> {
    let mut code = Code(Vec::new());
    code.account(&question.account).op(EXTCODESIZE).byte(CODE_BEFORE).op(MSTORE);
    if let Some(deployment) = &question.deployment {
        // Only a wallet that is not there is deployed.
        code.byte(CODE_BEFORE).op(MLOAD);
        let jump = code.placeholder();
        code.op(JUMPI);
        code.length(told.len()).length(data + asked.len()).byte(SCRATCH).op(CODECOPY);
        // Whether the factory succeeded, only the account's code tells.
        code.byte(0).byte(0).length(told.len()).byte(SCRATCH).byte(0).account(&deployment.factory).op(GAS).op(CALL).op(POP);
        code.fill(jump);
        code.op(JUMPDEST);
    }
    code.account(&question.account).op(EXTCODESIZE).byte(CODE_AFTER).op(MSTORE);
    code.byte(32).byte(0).byte(CODE_HEAD).account(&question.account).op(EXTCODECOPY);
    code.length(asked.len()).length(data).byte(SCRATCH).op(CODECOPY);
    // A static call: whoever is asked changes nothing. 1/64 of the gas stays here (EIP-150), enough for the rest.
    code.byte(32).byte(RETURNED).length(asked.len()).byte(SCRATCH).account(&question.account).op(GAS).op(STATICCALL);
    code.byte(SUCCESS).op(MSTORE).op(RETURNDATASIZE).byte(RETURNED_BYTES).op(MSTORE);
    code.byte(SCRATCH).byte(0).op(RETURN);
    code.0
}

const EXTCODESIZE: u8 = 0x3b;
const EXTCODECOPY: u8 = 0x3c;
const RETURNDATASIZE: u8 = 0x3d;
const CODECOPY: u8 = 0x39;
const POP: u8 = 0x50;
const MLOAD: u8 = 0x51;
const MSTORE: u8 = 0x52;
const JUMPI: u8 = 0x57;
const GAS: u8 = 0x5a;
const JUMPDEST: u8 = 0x5b;
const PUSH1: u8 = 0x60;
const PUSH2: u8 = 0x61;
const PUSH20: u8 = 0x73;
const CALL: u8 = 0xf1;
const RETURN: u8 = 0xf3;
const STATICCALL: u8 = 0xfa;

/// Instructions in the making. Arguments are pushed last to first.
struct Code(Vec<u8>);

impl Code {
    fn op(&mut self, op: u8) -> &mut Self {
        self.0.push(op);
        self
    }

    fn byte(&mut self, value: u8) -> &mut Self {
        self.0.extend([PUSH1, value]);
        self
    }

    /// A length or a place: below 65,536, as signatures are far shorter.
    fn length(&mut self, value: usize) -> &mut Self {
        let [.., high, low] = value.to_be_bytes();
        self.0.extend([PUSH2, high, low]);
        self
    }

    fn account(&mut self, account: &[u8; 20]) -> &mut Self {
        self.0.push(PUSH20);
        self.0.extend(account);
        self
    }

    /// A place that is not known yet.
    fn placeholder(&mut self) -> usize {
        self.length(0);
        self.0.len() - 2
    }

    /// Lets a placeholder mean here.
    fn fill(&mut self, placeholder: usize) {
        let [.., high, low] = self.0.len().to_be_bytes();
        self.0[placeholder] = high;
        self.0[placeholder + 1] = low;
    }
}
