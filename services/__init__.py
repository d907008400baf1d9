"""The processes; every folder except shared and embedded is one."""
