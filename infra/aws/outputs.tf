output "lake_url" {
  description = "VP_LAKE_URL."
  value       = trimsuffix("s3://${var.bucket}/${var.folder}", "/")
}

output "kms_key" {
  description = "The key of the bucket's own encryption, which is used while VP_S3_SSE is not set."
  value       = aws_kms_key.lake.arn
}

output "role_arns" {
  description = "The roles: Airbyte's destination, the pipeline, and `vp deploy snowflake --aws-role-arn`."
  value       = { for name, role in aws_iam_role.service : name => role.arn }
}
