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
  description = "Who takes on Airbyte's role: Airbyte Cloud's account, or the role of one's own Airbyte."
  type        = string
}

variable "airbyte_external_id" {
  description = "The external ID that Airbyte shows for its destination (Airbyte Cloud: the workspace's ID)."
  type        = string
}

variable "dagster_principal" {
  description = "Who takes on the pipeline's role: the role of the machine, task or service account it runs as."
  type        = string
}

variable "snowflake_principal" {
  description = "STORAGE_AWS_IAM_USER_ARN of `describe integration vp_silver`. Before the integration is there: the account's own root."
  type        = string
}

variable "snowflake_external_id" {
  description = "STORAGE_AWS_EXTERNAL_ID of `describe integration vp_silver`."
  type        = string
  default     = "not-known-yet"
}
