//! The managed policies that are there without being created: AWS's own for CodeArtifact and administration.

/// A policy of AWS's account, `arn:aws:iam::aws:policy/{name}`.
#[derive(Debug, PartialEq, Eq)]
pub struct AwsManagedPolicy {
    pub arn: &'static str,
    pub id: &'static str,
    pub name: &'static str,
    pub description: &'static str,
    pub document: &'static str,
}

impl AwsManagedPolicy {
    /// All, in name order.
    pub const ALL: &[Self] = &[
        Self {
            arn: "arn:aws:iam::aws:policy/AWSCodeArtifactAdminAccess",
            id: "ANPALARDERCODEARTIFAC",
            name: "AWSCodeArtifactAdminAccess",
            description: "Provides full access to AWS CodeArtifact via the AWS Management Console.",
            document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["codeartifact:*"],"Resource":"*"},{"Effect":"Allow","Action":"sts:GetServiceBearerToken","Resource":"*","Condition":{"StringEquals":{"sts:AWSServiceName":"codeartifact.amazonaws.com"}}}]}"#,
        },
        Self {
            arn: "arn:aws:iam::aws:policy/AWSCodeArtifactReadOnlyAccess",
            id: "ANPALARDERCODEARTREAD",
            name: "AWSCodeArtifactReadOnlyAccess",
            description: "Provides read-only access to AWS CodeArtifact via the AWS Management Console.",
            document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["codeartifact:Describe*","codeartifact:Get*","codeartifact:List*","codeartifact:ReadFromRepository"],"Resource":"*"},{"Effect":"Allow","Action":"sts:GetServiceBearerToken","Resource":"*","Condition":{"StringEquals":{"sts:AWSServiceName":"codeartifact.amazonaws.com"}}}]}"#,
        },
        Self {
            arn: "arn:aws:iam::aws:policy/AdministratorAccess",
            id: "ANPALARDERADMINACCESS",
            name: "AdministratorAccess",
            description: "Provides full access to AWS services and resources.",
            document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        },
        Self {
            arn: "arn:aws:iam::aws:policy/IAMFullAccess",
            id: "ANPALARDERIAMFULLACCE",
            name: "IAMFullAccess",
            description: "Provides full access to IAM via the AWS Management Console.",
            document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*","organizations:DescribeAccount","organizations:DescribeOrganization"],"Resource":"*"}]}"#,
        },
    ];

    /// The one with this ARN.
    #[must_use]
    pub fn find(arn: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|policy| policy.arn == arn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_the_arn_of_its_name() {
        for policy in AwsManagedPolicy::ALL {
            assert_eq!(policy.arn, format!("arn:aws:iam::aws:policy/{}", policy.name));
            assert_eq!(AwsManagedPolicy::find(policy.arn), Some(policy));
            assert_eq!(policy.id.len(), 21);
        }
        assert!(AwsManagedPolicy::ALL.is_sorted_by_key(|policy| policy.name));
        assert_eq!(AwsManagedPolicy::find("arn:aws:iam::aws:policy/None"), None);
    }
}
