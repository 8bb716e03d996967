//! The EVM program that calls a wallet on a chain, and the six words that it returns.

/// What `isValidSignature(bytes32,bytes)` returns for a valid signature; also its selector (ERC-1271).
pub(super) const MAGIC: [u8; 4] = [0x16, 0x26, 0xba, 0x7e];

/// Offsets of the words in a result. The first word is a length, so that a result never begins with 0xef: what a program without
/// `to` returns counts as the code of a new contract, which must not begin with 0xef (EIP-3541).
const CODE_BEFORE: u8 = 0x00;
const CODE_AFTER: u8 = 0x20;
const CODE_HEAD: u8 = 0x40;
const SUCCESS: u8 = 0x60;
const RETURNED_BYTES: u8 = 0x80;
const RETURNED: u8 = 0xa0;
/// Start of the memory behind the result, used for the calldata of the factory and of the account.
const SCRATCH: u8 = 0xc0;

/// Length of a result in bytes.
pub const RESULT_BYTES: usize = SCRATCH as usize;

/// The call of a wallet contract: did it sign this hash?
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WalletCall {
    pub(super) account: [u8; 20],
    pub(super) hash: [u8; 32],
    pub(super) signature: Vec<u8>,
    /// How to deploy the wallet if it does not exist yet (ERC-6492).
    pub(super) deployment: Option<Deployment>,
}

/// The call of a factory that deploys a wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deployment {
    pub(super) factory: [u8; 20],
    pub(super) calldata: Vec<u8>,
}

/// What the program returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProgramResult {
    /// Length of the account's code at the time of the call.
    pub(super) code_bytes: u64,
    /// The first bytes of its code.
    pub(super) code_head: [u8; 32],
    success: bool,
    returned_bytes: u64,
    returned: [u8; 32],
}

impl ProgramResult {
    /// Parses the words. `None` if the program could not have returned them.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; RESULT_BYTES] = bytes.try_into().ok()?;
        let word = |at: u8| -> Option<[u8; 32]> { bytes.get(usize::from(at)..)?.first_chunk::<32>().copied() };
        let number = |at: u8| -> Option<u64> {
            let word = word(at)?;
            let (high, low) = word.split_last_chunk::<8>()?;
            high.iter().all(|byte| *byte == 0).then_some(u64::from_be_bytes(*low))
        };
        // Code does not disappear during a call. Even self-destruction takes effect after it.
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

    /// Whether the account confirmed the signature: it returned one word, the magic value padded with zeros on the right.
    pub(super) fn confirms(&self) -> bool {
        let mut yes = [0; 32];
        yes[..4].copy_from_slice(&MAGIC);
        self.success && self.returned_bytes == 32 && self.returned == yes
    }
}

impl WalletCall {
    /// The program, followed by the calldata that it sends.
    pub(super) fn assemble(&self) -> Vec<u8> {
        let check = is_valid_signature(&self.hash, &self.signature);
        let deploy = self.deployment.as_ref().map_or(&[][..], |deployment| &deployment.calldata);
        // The offset of the calldata is the program's length, which does not depend on the offset.
        let length = program(self, 0, &check, deploy).len();
        let mut code = program(self, length, &check, deploy);
        code.extend_from_slice(&check);
        code.extend_from_slice(deploy);
        code
    }
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

/// The instructions. `data` is the offset of `check`, which `deploy` follows.
fn program(call: &WalletCall, data: usize, check: &[u8], deploy: &[u8]) -> Vec<u8> {
    let mut code = Code(Vec::new());
    code.account(&call.account).op(EXTCODESIZE).byte(CODE_BEFORE).op(MSTORE);
    if let Some(deployment) = &call.deployment {
        // Skip the deployment if the wallet exists.
        code.byte(CODE_BEFORE).op(MLOAD);
        let jump = code.placeholder();
        code.op(JUMPI);
        code.length(deploy.len()).length(data + check.len()).byte(SCRATCH).op(CODECOPY);
        // The factory's own result does not matter. The account's code tells whether it worked.
        code.byte(0).byte(0).length(deploy.len()).byte(SCRATCH).byte(0).account(&deployment.factory).op(GAS).op(CALL).op(POP);
        code.fill(jump);
        code.op(JUMPDEST);
    }
    code.account(&call.account).op(EXTCODESIZE).byte(CODE_AFTER).op(MSTORE);
    code.byte(32).byte(0).byte(CODE_HEAD).account(&call.account).op(EXTCODECOPY);
    code.length(check.len()).length(data).byte(SCRATCH).op(CODECOPY);
    // A static call cannot change anything. 1/64 of the gas stays here (EIP-150), which is enough for the rest.
    code.byte(32).byte(RETURNED).length(check.len()).byte(SCRATCH).account(&call.account).op(GAS).op(STATICCALL);
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

/// Instructions being assembled. Arguments are pushed last to first.
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

    /// A length or an offset below 65,536. Signatures are far shorter.
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

    /// A jump target that is not known yet.
    fn placeholder(&mut self) -> usize {
        self.length(0);
        self.0.len() - 2
    }

    /// Sets a placeholder to the current offset.
    fn fill(&mut self, placeholder: usize) {
        let [.., high, low] = self.0.len().to_be_bytes();
        self.0[placeholder] = high;
        self.0[placeholder + 1] = low;
    }
}
