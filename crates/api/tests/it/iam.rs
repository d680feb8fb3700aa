//! IAM at the wire: users, groups, roles, policies and providers, what they are refused with, and that rights count from
//! the next request on.

use larder_auth::sigv4::Payload;
use larder_core::model::{AccessKey, AccessKeyId, SecretAccessKey};

use crate::world::{ACCOUNT, ALL, Answer, OTHER_ACCOUNT, World, request};

const READ_DOMAINS: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22codeartifact%3AListDomains%22%2C%22Resource%22%3A%22*%22%7D%5D%7D";
const TRUST: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22codebuild.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";

async fn call(world: &World, key: &AccessKey, parameters: &str) -> Answer {
    let body = format!("Version=2010-05-08&Action={parameters}");
    let mut signed = request("POST /");
    world.sign(key, "iam", &mut signed, Payload::Body(body.as_bytes()));
    world.send(signed, body).await
}

/// The text of an answer that succeeded.
#[track_caller]
fn good(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text().to_owned()
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    let text = answer.text();
    assert_eq!(answer.status, status, "{text}");
    assert!(text.contains(&format!("<Code>{code}</Code>")), "{code}: {text}");
}

/// The text of the first element of this name.
fn element(text: &str, name: &str) -> String {
    let (_, rest) = text.split_once(&format!("<{name}>")).unwrap();
    rest.split_once("</").unwrap().0.to_owned()
}

struct Admin(World);

impl Admin {
    async fn new() -> Self {
        Self(World::new().await)
    }

    async fn call(&self, parameters: &str) -> Answer {
        call(&self.0, &self.0.admin, parameters).await
    }

    async fn good(&self, parameters: &str) -> String {
        good(&self.call(parameters).await)
    }

    async fn refused(&self, parameters: &str, status: u16, code: &str) {
        refused(&self.call(parameters).await, status, code);
    }

    async fn key(&self, user: &str) -> AccessKey {
        let text = self.good(&format!("CreateAccessKey&UserName={user}")).await;
        let id = AccessKeyId::new(element(&text, "AccessKeyId")).unwrap();
        AccessKey {
            id,
            secret: SecretAccessKey::new(element(&text, "SecretAccessKey")).unwrap(),
            ..self.0.admin.clone()
        }
    }
}

#[tokio::test]
async fn rights_of_groups_and_attached_policies_count_from_the_next_request_on() {
    let admin = Admin::new().await;
    admin.good("CreateUser&UserName=bob").await;
    let bob = admin.key("bob").await;
    let status = async || admin.0.call(&bob, "POST /v1/domains", "{}").await.status;
    assert_eq!(status().await, 403);

    // Inline, of the user itself.
    admin.good(&format!("PutUserPolicy&UserName=bob&PolicyName=p&PolicyDocument={READ_DOMAINS}")).await;
    assert_eq!(status().await, 200);
    admin.good("DeleteUserPolicy&UserName=bob&PolicyName=p").await;
    assert_eq!(status().await, 403);

    // Of a group.
    admin.good("CreateGroup&GroupName=readers&Path=/teams/").await;
    admin.good(&format!("PutGroupPolicy&GroupName=readers&PolicyName=p&PolicyDocument={READ_DOMAINS}")).await;
    assert_eq!(status().await, 403);
    admin.good("AddUserToGroup&GroupName=readers&UserName=bob").await;
    assert_eq!(status().await, 200);
    admin.good("RemoveUserFromGroup&GroupName=readers&UserName=bob").await;
    assert_eq!(status().await, 403);

    // Attached: one that is built in, and one whose default version changes.
    let built_in = "PolicyArn=arn:aws:iam::aws:policy/AWSCodeArtifactReadOnlyAccess";
    admin.good(&format!("AttachUserPolicy&UserName=bob&{built_in}")).await;
    assert_eq!(status().await, 200);
    admin.good(&format!("DetachUserPolicy&UserName=bob&{built_in}")).await;
    assert_eq!(status().await, 403);
    let text = admin.good(&format!("CreatePolicy&PolicyName=domains&Path=/x/&PolicyDocument={READ_DOMAINS}")).await;
    let arn = element(&text, "Arn");
    assert_eq!(arn, format!("arn:aws:iam::{ACCOUNT}:policy/x/domains"));
    admin.good("AddUserToGroup&GroupName=readers&UserName=bob").await;
    admin.good("DeleteGroupPolicy&GroupName=readers&PolicyName=p").await;
    assert_eq!(status().await, 403);
    admin.good(&format!("AttachGroupPolicy&GroupName=readers&PolicyArn={arn}")).await;
    assert_eq!(status().await, 200);
    let denies = READ_DOMAINS.replace("Allow", "Deny");
    admin.good(&format!("CreatePolicyVersion&PolicyArn={arn}&PolicyDocument={denies}&SetAsDefault=true")).await;
    assert_eq!(status().await, 403);
    admin.good(&format!("SetDefaultPolicyVersion&PolicyArn={arn}&VersionId=v1")).await;
    assert_eq!(status().await, 200);
    let entities = admin.good(&format!("ListEntitiesForPolicy&PolicyArn={arn}")).await;
    assert!(entities.contains("<GroupName>readers</GroupName>"), "{entities}");

    // A key that does not sign any more.
    admin.good(&format!("UpdateAccessKey&UserName=bob&AccessKeyId={}&Status=Inactive", bob.id)).await;
    assert_eq!(status().await, 403);
}

#[tokio::test]
async fn what_something_hangs_on_is_not_deleted() {
    let admin = Admin::new().await;
    admin.good("CreateUser&UserName=bob").await;
    let key = admin.key("bob").await;
    admin.good("CreateGroup&GroupName=g").await;
    admin.good("AddUserToGroup&GroupName=g&UserName=bob").await;
    admin.good(&format!("PutUserPolicy&UserName=bob&PolicyName=p&PolicyDocument={READ_DOMAINS}")).await;
    let arn = element(&admin.good(&format!("CreatePolicy&PolicyName=m&PolicyDocument={READ_DOMAINS}")).await, "Arn");
    admin.good(&format!("AttachUserPolicy&UserName=bob&PolicyArn={arn}")).await;
    admin.good(&format!("CreatePolicyVersion&PolicyArn={arn}&PolicyDocument={READ_DOMAINS}")).await;

    let steps = [
        "DeleteUserPolicy&UserName=bob&PolicyName=p".to_owned(),
        format!("DetachUserPolicy&UserName=bob&PolicyArn={arn}"),
        format!("DeleteAccessKey&UserName=bob&AccessKeyId={}", key.id),
        "RemoveUserFromGroup&UserName=bob&GroupName=g".to_owned(),
    ];
    for step in steps {
        admin.refused("DeleteUser&UserName=bob", 409, "DeleteConflict").await;
        admin.good(&step).await;
    }
    admin.good("DeleteUser&UserName=bob").await;
    admin.refused("DeleteUser&UserName=bob", 404, "NoSuchEntity").await;
    admin.refused(&format!("DeletePolicy&PolicyArn={arn}"), 409, "DeleteConflict").await;
    admin.refused(&format!("DeletePolicyVersion&PolicyArn={arn}&VersionId=v1"), 409, "DeleteConflict").await;
    admin.good(&format!("DeletePolicyVersion&PolicyArn={arn}&VersionId=v2")).await;
    admin.good(&format!("DeletePolicy&PolicyArn={arn}")).await;
    admin.good("DeleteGroup&GroupName=g").await;
}

#[tokio::test]
async fn limits_and_wrong_parameters_have_the_names_of_the_model() {
    let admin = Admin::new().await;
    admin.good("CreateUser&UserName=bob").await;
    admin.refused("CreateUser&UserName=bob", 409, "EntityAlreadyExists").await;
    admin.refused("CreateUser&UserName=a%20b", 400, "ValidationError").await;
    admin.refused("CreateUser", 400, "ValidationError").await;
    admin.refused("CreateUser&UserName=c&Path=x", 400, "InvalidInput").await;
    admin.refused("ListUsers&MaxItems=0", 400, "ValidationError").await;
    admin.refused("ListUsers&Marker=nonsense", 400, "ValidationError").await;
    admin
        .refused("PutUserPolicy&UserName=bob&PolicyName=p&PolicyDocument=%7B%7D", 400, "MalformedPolicyDocument")
        .await;
    admin.refused("CreateRole&RoleName=r&AssumeRolePolicyDocument=%7B%7D", 400, "MalformedPolicyDocument").await;
    for _ in 0..2 {
        let _ = admin.key("bob").await;
    }
    admin.refused("CreateAccessKey&UserName=bob", 409, "LimitExceeded").await;
    let arn = element(&admin.good(&format!("CreatePolicy&PolicyName=m&PolicyDocument={READ_DOMAINS}")).await, "Arn");
    for _ in 0..4 {
        admin.good(&format!("CreatePolicyVersion&PolicyArn={arn}&PolicyDocument={READ_DOMAINS}")).await;
    }
    let another = format!("CreatePolicyVersion&PolicyArn={arn}&PolicyDocument={READ_DOMAINS}");
    admin.refused(&another, 409, "LimitExceeded").await;
    // Numbers do not come back.
    admin.good(&format!("DeletePolicyVersion&PolicyArn={arn}&VersionId=v5")).await;
    assert_eq!(element(&admin.good(&another).await, "VersionId"), "v6");
    let long = "%20".repeat(10) + &"a".repeat(2048);
    let document = READ_DOMAINS.replace("ListDomains", &format!("List{}*", long.replace("%20", "")));
    admin
        .refused(&format!("PutUserPolicy&UserName=bob&PolicyName=p&PolicyDocument={document}"), 409, "LimitExceeded")
        .await;
    for number in 0..11 {
        admin.good(&format!("CreateGroup&GroupName=g{number}")).await;
        let answer = admin.call(&format!("AddUserToGroup&GroupName=g{number}&UserName=bob")).await;
        if number < 10 {
            assert_eq!(answer.status, 200);
        } else {
            refused(&answer, 409, "LimitExceeded");
        }
    }
    assert!(!admin.good("ListGroupsForUser&UserName=bob").await.contains("g10<"));
    admin.refused("DeletePolicy&PolicyArn=arn:aws:iam::aws:policy/IAMFullAccess", 403, "AccessDenied").await;
    admin.refused("TagUser&UserName=bob&Tags.member.1.Key=a", 400, "InvalidInput").await;
}

#[tokio::test]
async fn other_accounts_are_not_seen_and_rights_are_asked_for_each_operation() {
    let admin = Admin::new().await;
    let arn = element(&admin.good(&format!("CreatePolicy&PolicyName=m&PolicyDocument={READ_DOMAINS}")).await, "Arn");
    let other = admin.0.user(OTHER_ACCOUNT, "boss", Some(ALL)).await;
    refused(&call(&admin.0, &other, &format!("GetPolicy&PolicyArn={arn}")).await, 404, "NoSuchEntity");
    refused(&call(&admin.0, &other, "GetUser&UserName=admin").await, 404, "NoSuchEntity");
    assert!(!good(&call(&admin.0, &other, "ListUsers").await).contains("admin"));
    let attach = format!("AttachUserPolicy&UserName=boss&PolicyArn={arn}");
    refused(&call(&admin.0, &other, &attach).await, 404, "NoSuchEntity");

    let nobody = admin.0.user(ACCOUNT, "nobody", None).await;
    for parameters in ["GetUser", "ListUsers", "CreateUser&UserName=x", "CreateAccessKey&UserName=admin"] {
        let answer = call(&admin.0, &nobody, parameters).await;
        refused(&answer, 403, "AccessDenied");
        assert!(answer.text().contains("is not authorized to perform: iam:"), "{}", answer.text());
        assert!(answer.header("x-larder-denial").is_some());
    }
    // Rights to one name are rights to no other, and tags count.
    let own = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"iam:*AccessKey*","Resource":"arn:aws:iam::*:user/${aws:username}"},
        {"Effect":"Allow","Action":"iam:GetUser","Resource":"*","Condition":{"StringEquals":{"iam:ResourceTag/team":"web"}}}]}"#;
    let keys = admin.0.user(ACCOUNT, "keys", Some(own)).await;
    good(&call(&admin.0, &keys, "CreateAccessKey").await);
    refused(&call(&admin.0, &keys, "CreateAccessKey&UserName=admin").await, 403, "AccessDenied");
    refused(&call(&admin.0, &keys, "GetUser&UserName=nobody").await, 403, "AccessDenied");
    admin.good("TagUser&UserName=nobody&Tags.member.1.Key=team&Tags.member.1.Value=web").await;
    good(&call(&admin.0, &keys, "GetUser&UserName=nobody").await);
}

#[tokio::test]
async fn the_path_of_a_user_is_part_of_its_arn() {
    let admin = Admin::new().await;
    let text = admin.good("CreateUser&UserName=ann&Path=/teams/web/").await;
    assert_eq!(element(&text, "Arn"), format!("arn:aws:iam::{ACCOUNT}:user/teams/web/ann"));
    assert_eq!(element(&text, "Path"), "/teams/web/");
    let listed = admin.good("ListUsers&PathPrefix=/teams/").await;
    assert!(listed.contains("<UserName>ann</UserName>") && !listed.contains("<UserName>admin</UserName>"), "{listed}");
    // Rights to one path are rights to no other, to make something there either.
    let leads = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::*:user/teams/*"}}"#;
    let lead = admin.0.user(ACCOUNT, "lead", Some(leads)).await;
    good(&call(&admin.0, &lead, "GetUser&UserName=ann").await);
    good(&call(&admin.0, &lead, "CreateUser&UserName=bob&Path=/teams/ops/").await);
    refused(&call(&admin.0, &lead, "CreateUser&UserName=eve").await, 403, "AccessDenied");
    refused(&call(&admin.0, &lead, "GetUser&UserName=admin").await, 403, "AccessDenied");
    refused(&call(&admin.0, &lead, "UpdateUser&UserName=bob&NewPath=/admins/").await, 403, "AccessDenied");
    good(&call(&admin.0, &lead, "UpdateUser&UserName=bob&NewPath=/teams/web/&NewUserName=bert").await);
    assert_eq!(
        element(&admin.good("GetUser&UserName=bert").await, "Arn"),
        format!("arn:aws:iam::{ACCOUNT}:user/teams/web/bert")
    );
    admin.refused("UpdateUser&UserName=bert&NewPath=teams", 400, "InvalidInput").await;
    // The ARN is what the user acts as, and what group members and entities of policies are listed with.
    let key = admin.key("ann").await;
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let mut signed = request("POST /");
    admin.0.sign(&key, "sts", &mut signed, Payload::Body(body.as_bytes()));
    let identity = admin.0.send(signed, body).await;
    assert_eq!(element(identity.text(), "Arn"), format!("arn:aws:iam::{ACCOUNT}:user/teams/web/ann"));
    admin.good("CreateGroup&GroupName=g").await;
    admin.good("AddUserToGroup&GroupName=g&UserName=ann").await;
    assert!(admin.good("GetGroup&GroupName=g").await.contains("user/teams/web/ann"));
}

#[tokio::test]
async fn tags_of_a_user_are_tags_of_the_principal() {
    let admin = Admin::new().await;
    let document = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetUser","Resource":"*",
        "Condition":{"StringEquals":{"iam:ResourceTag/team":"${aws:PrincipalTag/team}"}}}}"#;
    let ann = admin.0.user(ACCOUNT, "ann", Some(document)).await;
    admin.good("CreateUser&UserName=bob&Tags.member.1.Key=team&Tags.member.1.Value=web").await;
    let get = async || call(&admin.0, &ann, "GetUser&UserName=bob").await;
    refused(&get().await, 403, "AccessDenied");
    admin.good("TagUser&UserName=ann&Tags.member.1.Key=team&Tags.member.1.Value=web").await;
    good(&get().await);
    // Keys that differ in case only are one.
    admin.good("TagUser&UserName=ann&Tags.member.1.Key=Team&Tags.member.1.Value=ops").await;
    refused(&get().await, 403, "AccessDenied");
    assert!(!admin.good("ListUserTags&UserName=ann").await.contains("<Key>team</Key>"));
    admin.good("TagUser&UserName=ann&Tags.member.1.Key=team&Tags.member.1.Value=web").await;
    good(&get().await);
    admin.good("UntagUser&UserName=ann&TagKeys.member.1=team").await;
    refused(&get().await, 403, "AccessDenied");
}

#[tokio::test]
async fn lists_go_on_at_their_markers() {
    let admin = Admin::new().await;
    for name in ["a", "b", "c"] {
        let create = format!("CreateRole&RoleName={name}&AssumeRolePolicyDocument={TRUST}&Path=/p/");
        let text = admin.good(&create).await;
        assert_eq!(element(&text, "Arn"), format!("arn:aws:iam::{ACCOUNT}:role/p/{name}"));
        assert_eq!(element(&text, "MaxSessionDuration"), "3600");
        assert!(element(&text, "AssumeRolePolicyDocument").starts_with("%7B%22Version%22%3A"));
    }
    admin.good(&format!("CreatePolicy&PolicyName=own&PolicyDocument={READ_DOMAINS}")).await;
    for (list, name, expected) in [
        ("ListRoles&PathPrefix=/p/", "RoleName", vec!["a", "b", "c"]),
        ("ListRoles&PathPrefix=/q/", "RoleName", vec![]),
        (
            "ListPolicies",
            "PolicyName",
            vec![
                "AWSCodeArtifactAdminAccess",
                "AWSCodeArtifactReadOnlyAccess",
                "AdministratorAccess",
                "IAMFullAccess",
                "own",
            ],
        ),
        ("ListPolicies&Scope=Local", "PolicyName", vec!["own"]),
    ] {
        let (mut found, mut marker) = (Vec::new(), String::new());
        loop {
            let text = admin.good(&format!("{list}&MaxItems=1{marker}")).await;
            found.extend(
                text.split(&format!("<{name}>")).skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()),
            );
            if element(&text, "IsTruncated") == "false" {
                break;
            }
            marker = format!("&Marker={}", element(&text, "Marker"));
        }
        assert_eq!(found, expected, "{list}");
    }
}

#[tokio::test]
async fn identity_providers_keep_what_they_are_given() {
    let admin = Admin::new().await;
    let create = "CreateOpenIDConnectProvider&Url=https://gitlab.example.com&ClientIDList.member.1=larder";
    let print = "0123456789abcdef0123456789abcdef01234567";
    let text = admin.good(&format!("{create}&ThumbprintList.member.1={print}")).await;
    let arn = element(&text, "OpenIDConnectProviderArn");
    assert_eq!(arn, format!("arn:aws:iam::{ACCOUNT}:oidc-provider/gitlab.example.com"));
    admin.refused(create, 409, "EntityAlreadyExists").await;
    let provider = format!("OpenIDConnectProviderArn={arn}");
    admin.good(&format!("AddClientIDToOpenIDConnectProvider&{provider}&ClientID=other")).await;
    admin.good(&format!("RemoveClientIDFromOpenIDConnectProvider&{provider}&ClientID=larder")).await;
    let text = admin.good(&format!("GetOpenIDConnectProvider&{provider}")).await;
    assert!(text.contains("<member>other</member>") && !text.contains("<member>larder</member>"), "{text}");
    assert!(text.contains(&format!("<member>{print}</member>")) && text.contains("<Url>gitlab.example.com</Url>"));
    assert!(admin.good("ListOpenIDConnectProviders").await.contains(&arn));
    let wrong = format!("UpdateOpenIDConnectProviderThumbprint&{provider}&ThumbprintList.member.1=xyz");
    admin.refused(&wrong, 400, "InvalidInput").await;
    admin.good(&format!("DeleteOpenIDConnectProvider&{provider}")).await;
    admin.refused(&format!("GetOpenIDConnectProvider&{provider}"), 404, "NoSuchEntity").await;
}
