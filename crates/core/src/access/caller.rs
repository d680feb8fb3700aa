//! Who calls, how it was proven, and from where.

use std::net::IpAddr;
use std::sync::Arc;

use super::RequestNotes;
use crate::model::{
    AccessKeyId, AccountId, Actor, Credential, DomainId, Principal, PrincipalKind, Session, Timestamp, TokenId, User,
};

/// How the caller proved who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// A signature made with this key.
    Signature(AccessKeyId),
    /// A signature made with temporary credentials, whose session token it came with.
    Session(Arc<Session>),
    /// The token of an identity provider: the one thing that is not signed.
    WebIdentity,
    /// An authorization token for one domain.
    Token {
        id: TokenId,
        domain: DomainId,
        domain_owner: AccountId,
        credential: Credential,
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
    /// The user, if a user calls: not a role's session, not Larder itself.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        match &self.principal.kind {
            PrincipalKind::User(user) => Some(user),
            _ => None,
        }
    }

    /// Whether temporary credentials of a user signed, which GetSessionToken gives.
    #[must_use]
    pub fn is_user_session(&self) -> bool {
        matches!((&self.via, &self.principal.kind), (Via::Session(_), PrincipalKind::User(_)))
    }

    /// What an authorization token would be bound to: the access key or session that signed, or that obtained the token
    /// which was presented. `None` for who has neither.
    #[must_use]
    pub fn credential(&self) -> Option<Credential> {
        match &self.via {
            Via::Signature(key) => Some(Credential::AccessKey(key.clone())),
            Via::Session(session) => Some(Credential::Session(session.access_key.clone())),
            Via::Token { credential, .. } => Some(credential.clone()),
            Via::WebIdentity | Via::Machine => None,
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
