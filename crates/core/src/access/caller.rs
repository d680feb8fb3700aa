//! Who calls, how it was proven, and from where.

use std::net::IpAddr;

use super::RequestNotes;
use crate::model::{AccessKeyId, AccountId, Actor, DomainId, Principal, Timestamp, TokenId, User};

/// How the caller proved who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// A signature made with this key.
    Signature(AccessKeyId),
    /// An authorization token for one domain.
    Token {
        id: TokenId,
        domain: DomainId,
        domain_owner: AccountId,
        access_key: AccessKeyId,
        read_only: bool,
        expires_at: Timestamp,
    },
    /// Access to the machine: the command line and bootstrap.
    Machine,
}

/// An authenticated caller.
#[derive(Debug, Clone)]
pub struct Caller {
    pub principal: Principal,
    pub via: Via,
    /// The peer, or what a trusted proxy says it is.
    pub address: Option<IpAddr>,
    /// The request came over TLS.
    pub secure_transport: bool,
    pub request_id: String,
}

impl Caller {
    /// The user, unless Larder itself calls.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        match &self.principal.kind {
            crate::model::PrincipalKind::User(user) => Some(user),
            crate::model::PrincipalKind::System => None,
        }
    }

    /// Its part of a journal record.
    #[must_use]
    pub fn actor(&self, operation: &'static str, at: Timestamp) -> Actor {
        Actor {
            principal: self.principal.arn().as_str().to_owned(),
            address: self.address,
            operation,
            at,
            request_id: self.request_id.clone(),
            client: RequestNotes::client(),
        }
    }
}
