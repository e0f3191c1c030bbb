-- Whether a change could be made. Declared as one that writes, it is refused before it begins wherever a change would be:
-- on a replica, out of memory, on a disk that fails.
return {'done', witness()}
