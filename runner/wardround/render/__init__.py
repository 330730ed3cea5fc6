"""Pure: a design becomes an inventory for Ansible, rules for a gateway, documents for people."""
