//! `Action=GetCallerIdentity`. Needs no right: a deny does not hide a caller from itself.

use larder_core::access::Caller;
use larder_http::Response;

use super::DIALECT;

pub(super) fn render(caller: &Caller, request_id: &str) -> Response {
    let principal = &caller.principal;
    let arn = principal.arn();
    let members = [("Arn", arn.as_str()), ("UserId", principal.unique_id()), ("Account", principal.account.as_str())];
    DIALECT.result("GetCallerIdentity", &members, request_id)
}

#[cfg(test)]
mod tests {
    use larder_core::access::Via;
    use larder_core::model::{AccessKeyId, AccountId, Principal, User, UserName};
    use larder_http::Body;

    use super::*;

    #[test]
    fn a_user_is_told_its_arn_id_and_account() {
        let user = User {
            account: AccountId::new("111122223333").unwrap(),
            path: "/".to_owned(),
            name: UserName::new("admin").unwrap(),
            id: "AIDAEXAMPLE".into(),
        };
        let caller = Caller {
            principal: Principal::user(user),
            via: Via::Signature(AccessKeyId::new("AKIAIOSFODNN7EXAMPLE").unwrap()),
            address: None,
            secure_transport: false,
            request_id: "r-1".into(),
        };
        let response = render(&caller, "r-1");
        let Body::Full(body) = response.body() else { panic!("an answer has a body") };
        let text = std::str::from_utf8(body).unwrap();
        assert!(text.contains("<Arn>arn:aws:iam::111122223333:user/admin</Arn>"));
        assert!(text.contains("<UserId>AIDAEXAMPLE</UserId>"));
        assert!(text.contains("<Account>111122223333</Account>"));
    }
}
