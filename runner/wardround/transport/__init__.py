"""The room that touches the world: Ansible is run here, and what it says becomes events."""
