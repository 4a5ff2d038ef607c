"""All that the conformance scenarios call is permitted; what each tool does is taken from what the server says."""

from interlock import Policy, permit

policy = Policy(
    permit(
        [
            "test_simple_text",
            "test_image_content",
            "test_audio_content",
            "test_embedded_resource",
            "test_multiple_content_types",
            "test_tool_with_logging",
            "test_tool_with_progress",
            "test_error_handling",
            "test_sampling",
            "test_elicitation",
            "test_elicitation_sep1034_defaults",
            "test_elicitation_sep1330_enums",
            "test_reconnection",
            "json_schema_2020_12_tool",
        ]
    )
)
