-- Which key took another one's place, by either of them. Only rotations are in it, so other acts cost nothing.
-- oldest program: 0004

CREATE INDEX IF NOT EXISTS {{audit_by_rotated}} ON {{audit}} (target) WHERE action = 'litellm_key.rotate';
CREATE INDEX IF NOT EXISTS {{audit_by_heir}} ON {{audit}} ((details ->> 'newKey')) WHERE action = 'litellm_key.rotate';
