variable "deployment" {
  description = "VP_DEPLOYMENT: the roles of all but production end with it, so that one account can hold several."
  type        = string
  default     = "production"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{0,29}$", var.deployment))
    error_message = "Up to 30 lower case letters and digits, as VP_DEPLOYMENT."
  }
}

variable "bucket" {
  description = "The bucket of the lake."
  type        = string
}

variable "folder" {
  description = "The folder of the lake in it, with a slash at its end; empty: the bucket's root. VP_LAKE_URL is s3://<bucket>/<folder>."
  type        = string
  default     = "lake/"

  validation {
    condition     = var.folder == "" || endswith(var.folder, "/")
    error_message = "A folder ends with a slash."
  }
}

variable "airbyte_principal" {
  description = "Who takes on Airbyte's role. Airbyte Cloud: arn:aws:iam::094410056844:user/delegated_access_user, after Airbyte has enabled it for the workspace. One's own Airbyte: the user or role whose keys its deployment has. None: no role, see airbyte_access_keys."
  type        = string
  default     = null
}

variable "airbyte_external_id" {
  description = "The external ID that Airbyte sends. Airbyte Cloud: the workspace's ID. One's own Airbyte: AWS_ASSUME_ROLE_EXTERNAL_ID of its deployment."
  type        = string
  default     = "not-known-yet"
}

variable "airbyte_access_keys" {
  description = "Whether Airbyte gets a user for access keys (VP_AIRBYTE_S3_ACCESS_KEY_ID): where it can take on no role."
  type        = bool
  default     = false
}

# Of the following three exactly one is set: how the pipeline's role is taken on.
variable "dagster_principal" {
  description = "The role or user that the pipeline runs as."
  type        = string
  default     = null
}

variable "dagster_service" {
  description = "The service of AWS that starts it: ecs-tasks.amazonaws.com (ECS, Fargate), or ec2.amazonaws.com."
  type        = string
  default     = null
}

variable "dagster_oidc" {
  description = "The service account of a Kubernetes cluster (EKS): the ARN of the cluster's OIDC provider, its issuer without https://, and system:serviceaccount:<namespace>:<name>."
  type        = object({ provider = string, issuer = string, subject = string })
  default     = null
}

variable "snowflake_principal" {
  description = "STORAGE_AWS_IAM_USER_ARN of `describe integration` of the one that `vp deploy snowflake` shows. Before the integration is there: the account's own root."
  type        = string
}

variable "snowflake_external_id" {
  description = "STORAGE_AWS_EXTERNAL_ID of `describe integration` of the one that `vp deploy snowflake` shows."
  type        = string
  default     = "not-known-yet"
}

variable "compute_logs_bucket" {
  description = "DAGSTER_COMPUTE_LOGS_BUCKET: where what steps print is kept; the pipeline may write and read it there. None: it may not."
  type        = string
  default     = null
}

variable "secrets" {
  type        = list(string)
  description = "ARNs of the secrets in AWS Secrets Manager that the pipeline's settings refer to; NAME-?????? where the suffix is left out."
  default     = []
}
