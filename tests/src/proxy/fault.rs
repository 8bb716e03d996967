//! Which request a fault strikes, and what becomes of the request.

/// A fault of the k-th request that it applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A write to DynamoDB is rejected once with a transaction conflict.
    Conflict,
    /// A request is executed, and its reply is lost.
    LostReply,
    /// A request is executed, its reply is lost, and the destination is unreachable afterwards.
    CrashAfter,
    /// The destination is unreachable from this request on.
    CrashBefore,
    /// The request is held until the proxy is told to let go. Later ones pass.
    Delay,
    /// The process dies before the request is sent.
    KillBefore,
    /// The request is executed, and the process dies before it has the reply.
    KillAfter,
}

impl Fault {
    /// Every fault that can happen to a request to any destination.
    pub const ANYWHERE: [Self; 6] =
        [Self::LostReply, Self::CrashAfter, Self::CrashBefore, Self::Delay, Self::KillBefore, Self::KillAfter];

    fn can_happen_to(self, operation: &str) -> bool {
        let writes = ["TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem"];
        self != Self::Conflict || writes.contains(&operation)
    }
}

/// What is planned for requests, and what has happened.
#[derive(Debug, Default)]
pub(super) struct Rule {
    /// The fault and the number of its request, from 1.
    pub(super) planned: Option<(Fault, usize)>,
    pub(super) seen: usize,
    pub(super) struck: bool,
    pub(super) down: bool,
    /// Requests whose text contains this are unreachable.
    pub(super) lost: Option<String>,
}

/// What becomes of one request.
pub(super) enum Fate {
    Pass,
    Refuse,
    LoseReply,
    Unreachable,
    Hold,
    KillBefore,
    KillAfter,
}

impl Rule {
    pub(super) fn fate(&mut self, operation: &str, body: &[u8]) -> Fate {
        let is_lost = self.lost.as_ref().is_some_and(|text| String::from_utf8_lossy(body).contains(text));
        self.struck |= is_lost;
        if self.down || is_lost {
            return Fate::Unreachable;
        }
        let Some((fault, k)) = self.planned.filter(|(fault, _)| fault.can_happen_to(operation)) else { return Fate::Pass };
        self.seen += 1;
        if self.seen != k {
            return Fate::Pass;
        }
        self.struck = true;
        self.down = matches!(fault, Fault::CrashAfter | Fault::CrashBefore);
        match fault {
            Fault::Conflict => Fate::Refuse,
            Fault::LostReply | Fault::CrashAfter => Fate::LoseReply,
            Fault::CrashBefore => Fate::Unreachable,
            Fault::Delay => Fate::Hold,
            Fault::KillBefore => Fate::KillBefore,
            Fault::KillAfter => Fate::KillAfter,
        }
    }
}
